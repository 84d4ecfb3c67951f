package shared

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of files. What is larger is not sent, or "as it is".
const (
	MaxFileName   = 120       // code points of a file's name
	MaxCaption    = 1024      // code points of what is said with a file
	MaxFile       = MaxOffset // bytes of a file that a frame can tell of
	MaxFileSide   = 65535     // pixels of a picture's width and height
	MaxUploadPart = 1 << 20   // bytes of a file in one request
	MaxThumb      = 32 << 10  // bytes of a thumbnail
	MaxThumbSide  = 480       // pixels of its width and height
)

// File is a file that a message has. A client sends its ID alone.
type File struct {
	ID      string `json:"id"`                // see CheckFileID
	Name    string `json:"name,omitempty"`    // as FileName makes it
	Type    string `json:"type,omitempty"`    // what the server found in the content, as image/jpeg
	Size    int64  `json:"size,omitempty"`    // in bytes
	Width   int    `json:"width,omitempty"`   // of a picture, in pixels as it is shown; 0 if the sender did not tell
	Height  int    `json:"height,omitempty"`  // the same
	Thumb   bool   `json:"thumb,omitempty"`   // there is a thumbnail
	Gone    bool   `json:"gone,omitempty"`    // the server keeps its bytes no longer
	Caption string `json:"caption,omitempty"` // the message without the link that stands for the file
}

var fileID = regexp.MustCompile(`^[a-z2-7]{26}$`)

// CheckFileID checks the form of a file's id: 26 characters of a-z2-7, 130 bits that
// its sender has drawn. The error is a *FrameError.
func CheckFileID(id string) error {
	if !fileID.MatchString(id) {
		return badFrame("A file's id has 26 characters of a-z and 2-7.")
	}
	return nil
}

// CheckUpload checks what a client's upload says of a file. The error is a *FrameError.
func CheckUpload(m Message) error {
	switch err := CheckFileID(m.ID); {
	case err != nil:
		return err
	case m.Size == 0:
		return badFrame("The file is empty.")
	case (m.Width == 0) != (m.Height == 0):
		return badFrame("A picture has a width and a height.")
	}
	return nil
}

// FileName makes of any text the name of a file as everybody is shown it: at most
// MaxFileName code points, with its extension, without folders, and without characters
// that are not seen or change the direction of others. It is "file" if nothing is left.
func FileName(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', unicode.In(r, unicode.Zs):
			return ' '
		case r == '\u200c', r == '\u200d': // joiners are a part of scripts and of emoji
			return r
		case r == '\u034f', r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0', unseen(r),
			unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if s = cut(s, MaxFileName, utf8.RuneCountInString); Blank(strings.Trim(s, ". ")) {
		return "file"
	}
	return s
}

// maxSaved is how many bytes a name has at most that a file is saved by. File systems
// take 255, and there may be a number to come.
const maxSaved = 240

// SavedName makes of any text a name that a file can be saved by on every system: as
// FileName does, at most 240 bytes, without what Windows reserves, and not hidden.
func SavedName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, FileName(s))
	s = cut(s, maxSaved, func(s string) int { return len(s) })
	s = strings.TrimRight(strings.TrimLeft(s, ". "), ". ")
	stem, _, _ := strings.Cut(s, ".")
	if reserved.MatchString(strings.TrimSpace(stem)) {
		return "_" + s
	}
	return s
}

// reserved are the devices of Windows, which no file can be named after.
var reserved = regexp.MustCompile(`^(?i:con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$`)

// maxExtension is how long an extension may be that a name keeps when it is cut, in bytes.
const maxExtension = 16

// cut shortens the stem of a name until the name measures at most limit.
func cut(s string, limit int, measure func(string) int) string {
	if measure(s) <= limit {
		return s
	}
	stem, extension := s, ""
	if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= maxExtension {
		stem, extension = s[:i], s[i:]
	}
	limit -= measure(extension)
	n := 0
	for i, r := range stem {
		if n += measure(string(r)); n > limit {
			stem = stem[:i]
			break
		}
	}
	return strings.TrimSpace(stem) + extension
}

// file reads what a message says of its file; nil if it has none.
func (o *object) file(name string) *File {
	inner := o.object(name)
	if inner.fields == nil {
		return nil
	}
	f := &File{
		ID: inner.text("id", MaxID), Name: inner.text("name", MaxShown), Type: inner.text("type", MaxID), Size: inner.number("size", MaxFile),
		Width: int(inner.number("width", MaxFileSide)), Height: int(inner.number("height", MaxFileSide)),
		Thumb: inner.flag("thumb"), Gone: inner.flag("gone"), Caption: inner.text("caption", MaxCaption),
	}
	if err := CheckFileID(f.ID); err != nil {
		inner.fail(err) // it becomes a part of addresses
	}
	if inner.err != nil {
		o.fail(inner.err)
		return nil
	}
	return f
}
