package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"text/template"
)

// renderManifest is the app's manifest as text. The version of what the
// stand-in built says so.
func renderManifest(app app, real bool) ([]byte, error) {
	t, err := template.ParseFiles(filepath.Join(source, "AndroidManifest.xml.tmpl"))
	if err != nil {
		return nil, err
	}
	version := app.Version
	if !real {
		version += "+nondk"
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		ID, Name, Build, VersionName string
	}{app.ID, app.Name, app.Build, version})
	return b.Bytes(), err
}

// configChanges is every change that the activity takes without a restart:
// the manifest's list, of which Fyne's tool knows the older ones only.
const (
	configChanges   = 0x5000ffff
	configChangesID = 0x0101001f // the attribute
)

// Android's binary XML (ResourceTypes.h): chunks of a type, the size of their
// header and their own size.
const (
	chunkXML          = 0x0003
	chunkStartElement = 0x0102
	chunkResourceMap  = 0x0180
	headerSize        = 16 // of a start element
	attributeSize     = 20
)

// mendManifest corrects, in place, the binary manifest that Fyne's tool makes:
// it completes configChanges, and sorts the attributes of each element by their
// resource IDs as Android's parser wants them. It misses those that come late:
// a theme after an exported, say.
func mendManifest(data []byte) error {
	le := binary.LittleEndian
	bad := errors.New("the packaged AndroidManifest.xml is not binary XML")
	if len(data) < 8 || le.Uint16(data) != chunkXML {
		return bad
	}
	var ids []byte // the resource ID of each attribute's name, by the name's number
	id := func(attribute []byte) uint32 {
		if at := int(le.Uint32(attribute[4:])) * 4; at < len(ids) {
			return le.Uint32(ids[at:])
		}
		return 1<<32 - 1 // one without: package
	}
	for chunk := data[8:]; len(chunk) > 0; {
		if len(chunk) < 8 || int(le.Uint32(chunk[4:])) < 8 || int(le.Uint32(chunk[4:])) > len(chunk) {
			return bad
		}
		size := int(le.Uint32(chunk[4:]))
		switch le.Uint16(chunk) {
		case chunkResourceMap:
			ids = chunk[8:size]
		case chunkStartElement:
			if size < headerSize+20 {
				return bad
			}
			extension := chunk[headerSize:size]
			start, n := int(le.Uint16(extension[8:])), int(le.Uint16(extension[12:]))
			if le.Uint16(extension[10:]) != attributeSize || start+n*attributeSize > len(extension) {
				return bad
			}
			var attributes [][]byte
			for a := range slices.Chunk(extension[start:start+n*attributeSize], attributeSize) {
				if id(a) == configChangesID {
					le.PutUint32(a[16:], configChanges)
				}
				attributes = append(attributes, slices.Clone(a))
			}
			slices.SortStableFunc(attributes, func(a, b []byte) int { return cmp.Compare(id(a), id(b)) })
			copy(extension[start:], slices.Concat(attributes...))
		}
		chunk = chunk[size:]
	}
	return nil
}
