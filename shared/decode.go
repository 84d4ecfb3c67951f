package shared

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// FrameError is why Decode refused a frame. Code is what an error frame tells
// the sender, Reason a sentence for a person. Two FrameErrors of one Code match
// under errors.Is.
type FrameError struct {
	Code   ErrorCode
	Reason string
}

func (e *FrameError) Error() string { return string(e.Code) + ": " + e.Reason }

// Is matches any FrameError of the same Code.
func (e *FrameError) Is(target error) bool {
	var t *FrameError
	return errors.As(target, &t) && t.Code == e.Code
}

// What Decode returns, for errors.Is.
var (
	ErrBadFrame    = &FrameError{CodeBadFrame, "The frame is not valid."}
	ErrUnknownType = &FrameError{CodeUnknownType, "The frame has an unknown type."}
	ErrEmpty       = &FrameError{CodeEmpty, "The message is empty."}
	ErrTooLong     = &FrameError{CodeTooLong, "The message is too long."}
)

// maxType is how long a type may be, in code points.
const maxType = 32

func badFrame(format string, args ...any) error {
	return &FrameError{CodeBadFrame, fmt.Sprintf(format, args...)}
}

// Decode reads one frame of either dialect; a frame with a message and no type
// is a chat_message, as the tutorial's page sends it. Fields that it does not
// know are ignored, a null is an absent field. A refused frame gives a
// *FrameError and whatever of Type and ID could be read, so that its sender
// can be told which message it was.
func Decode(data []byte) (Message, error) {
	if !utf8.Valid(data) {
		return Message{}, badFrame("The frame is not UTF-8.")
	}
	// By exact names: encoding/json matches those of a struct without regard to
	// case, and so accepts what a JavaScript client does not see.
	fields, ok := splitObject(data)
	if !ok {
		return Message{}, badFrame("The frame is not one JSON object.")
	}
	return decodeFields(fields)
}

func decodeFields(fields []field) (m Message, err error) {
	o := object{fields: fields}
	m.ID = o.text("id", MaxID)
	switch m.Type = Type(o.text("type", maxType)); m.Type {
	case "":
		if o.raw("message") == nil && o.err == nil {
			return m, badFrame("The frame has no type.")
		}
		m.Type = TypeChat
		fallthrough
	case TypeChat:
		m.Text = o.text("message", MaxText)
		m.User = o.text("user", MaxShown)
		m.By = o.text("by", MaxID)
		m.Time = o.time("time")
		m.Offset = o.number("offset", MaxOffset)
		if !o.plain() {
			o.state(&m)
		}
		if o.err == nil && m.File == nil && Blank(m.Text) {
			o.err = ErrEmpty
		}
	case TypeDelete:
		o.entry(&m)
		m.Targets = o.offsets("targets")
	case TypeReact:
		o.entry(&m)
		m.Emoji = o.text("emoji", MaxID)
		m.Counts = o.counts("counts")
		if o.err == nil && !o.has("emoji") {
			o.err = badFrame("The field %q is missing.", "emoji")
		}
	case TypeReactions:
		m.Target = o.number("target", MaxOffset)
		m.Reactors = o.reactors("users")
	case TypeSearch:
		m.Text = o.text("text", MaxSearch)
		m.Before = o.number("before", MaxAsked)
		m.More = o.flag("more")
		m.Messages, m.Skipped = o.frames("messages", TypeChat)
	case TypeHello:
		m.User = o.text("user", MaxShown)
		m.Device = o.text("device", MaxDevice)
		m.Key = o.text("key", MaxKey)
		listed := true
		o.into("listed", &listed)
		m.Hidden = !listed
		m.Host = o.flag("host")
		m.HostKey = o.text("host_key", MaxID)
		m.Epoch = o.text("epoch", MaxID)
		m.After = o.number("after", MaxAsked)
		m.Can = o.texts("can", MaxID)
	case TypeWelcome:
		m.Room = o.text("room", MaxShown)
		m.Like = o.text("like", MaxShown)
		m.User = o.text("user", MaxShown)
		m.By = o.text("by", MaxID)
		m.Can = o.texts("can", MaxID)
		m.Epoch = o.text("epoch", MaxID)
		m.Offset = o.number("offset", MaxOffset)
		m.Count = int(o.number("count", MaxCount))
		m.Resumed = read[bool](&o, "resumed")
		m.Members = o.texts("members", MaxShown)
		m.Limits = read[Limits](&o, "limits")
		m.Server = read[Server](&o, "server")
		m.Host = o.flag("host")
		m.Silenced = o.text("silenced", MaxShown)
		m.Settings = o.settings("settings", false)
		m.Pinned = o.number("pinned", MaxOffset)
		o.check(m.Limits, m.Server)
	case TypeAck:
		m.Offset = o.number("offset", MaxOffset)
	case TypeTyping:
		m.User = o.text("user", MaxShown)
	case TypePresence:
		m.Event = Event(o.text("event", MaxID))
		m.Count = int(o.number("count", MaxCount))
		m.Users = o.texts("users", MaxShown)
		if o.err == nil && m.Event != Join && m.Event != Leave {
			o.err = badFrame("A presence frame tells neither join nor leave.")
		}
	case TypeHistory:
		m.Before = o.number("before", MaxAsked)
		m.Limit = int(o.number("limit", MaxHistory))
		m.After = o.number("after", MaxOffset)
		m.Changed = o.number("changed", MaxAsked)
		m.More = o.flag("more")
		m.Messages, m.Skipped = o.frames("messages", TypeChat)
	case TypeError:
		m.Code = ErrorCode(o.text("code", MaxID))
		m.Text = o.text("message", MaxSentence)
		m.User = o.text("user", MaxShown)
		m.RetryMS = int(o.number("retry_ms", MaxCount))
	case TypeNotice:
		m.Did = o.text("did", MaxID)
		m.By = o.text("by", MaxID)
		m.User = o.text("user", MaxShown)
		m.About = o.text("about", MaxShown)
		m.Whom = o.text("whom", MaxID)
		m.Offset = o.number("offset", MaxOffset)
		m.Time = o.time("time")
		m.Settings = o.settings("settings", false)
		m.Pinned = o.number("pinned", MaxOffset)
	case TypeHost:
		m.Do = o.text("do", MaxID)
		m.User = o.text("user", MaxShown)
		m.Whom = o.text("whom", MaxID)
		m.Target = o.number("target", MaxOffset)
		m.Of = o.text("of", MaxID)
		m.Settings = o.settings("settings", true)
	case TypeNotices, TypeRoles:
		m.Before = o.number("before", MaxAsked)
		m.Limit = int(o.number("limit", MaxHistory))
		m.More = o.flag("more")
		m.Notices, m.Skipped = o.frames("notices", TypeNotice)
	case TypeUpload:
		m.Name = o.text("name", MaxShown)
		m.Size = o.number("size", MaxFile)
		m.Width = int(o.number("width", MaxFileSide))
		m.Height = int(o.number("height", MaxFileSide))
		m.Key = o.text("key", MaxKey)
		m.At = o.number("at", MaxFile)
	case TypePing, TypePong:
	default:
		o.fail(&FrameError{CodeUnknownType, fmt.Sprintf("This version knows no frame of type %q.", m.Type)})
	}
	return m, o.err
}
