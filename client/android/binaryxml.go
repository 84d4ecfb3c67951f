package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Android's own names of things, as in its public.xml and attrs_manifest.xml.
const androidSpace = "http://schemas.android.com/apk/res/android"

// kind is how an attribute's value is written: Res_value's types.
type kind byte

const (
	resource kind = 0x01
	text     kind = 0x03
	number   kind = 0x10
	flags    kind = 0x11
	boolean  kind = 0x12
)

// attributes are those that the manifest may have.
var attributes = map[string]struct {
	id   uint32
	kind kind
}{
	"theme": {0x01010000, resource}, "label": {0x01010001, text}, "icon": {0x01010002, resource},
	"name": {0x01010003, text}, "exported": {0x01010010, boolean}, "configChanges": {0x0101001f, flags},
	"taskAffinity": {0x01010012, text}, "excludeFromRecents": {0x01010017, boolean},
	"value": {0x01010024, text}, "mimeType": {0x01010026, text}, "scheme": {0x01010027, text}, "minSdkVersion": {0x0101020c, number}, "versionCode": {0x0101021b, number},
	"versionName": {0x0101021c, text}, "windowSoftInputMode": {0x0101022b, flags}, "noHistory": {0x0101022d, boolean},
	"targetSdkVersion": {0x01010270, number}, "allowBackup": {0x01010280, boolean},
	"enableOnBackInvokedCallback": {0x0101066c, boolean},
}

// bits are the values of flags.
var bits = map[string]uint32{
	"mcc": 1 << 0, "mnc": 1 << 1, "locale": 1 << 2, "touchscreen": 1 << 3, "keyboard": 1 << 4, "keyboardHidden": 1 << 5,
	"navigation": 1 << 6, "orientation": 1 << 7, "screenLayout": 1 << 8, "uiMode": 1 << 9, "screenSize": 1 << 10,
	"smallestScreenSize": 1 << 11, "density": 1 << 12, "layoutDirection": 1 << 13, "colorMode": 1 << 14,
	"grammaticalGender": 1 << 15, "fontWeightAdjustment": 1 << 28, "fontScale": 1 << 30,
	"adjustResize": 1 << 4,
}

// element is one of XML's. Its attributes are Android's, but for package.
type element struct {
	name       string
	attributes []xml.Attr
	children   []*element
}

// child is the first child of a name, or nil.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// set sets an attribute of Android's.
func (e *element) set(name, value string) {
	for i, a := range e.attributes {
		if a.Name.Local == name {
			e.attributes[i].Value = value
			return
		}
	}
	e.attributes = append(e.attributes, xml.Attr{Name: xml.Name{Space: androidSpace, Local: name}, Value: value})
}

func parseXML(data []byte) (*element, error) {
	root := &element{}
	open := []*element{root}
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local}
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" {
					e.attributes = append(e.attributes, a)
				}
			}
			parent := open[len(open)-1]
			parent.children = append(parent.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("it holds no element")
	}
	return root.children[0], nil
}

// The chunks of binary XML (ResourceTypes.h).
const (
	chunkXML            = 0x0003
	chunkStrings        = 0x0001
	chunkResources      = 0x0180
	chunkStartNamespace = 0x0100
	chunkEndNamespace   = 0x0101
	chunkStartElement   = 0x0102
	chunkEndElement     = 0x0103
)

const none = 1<<32 - 1 // no string, no comment

// encoder writes binary XML. The names of Android's attributes are the first
// strings, because resources, their IDs, go by the same numbers.
type encoder struct {
	strings   []string
	resources []uint32
	body      bytes.Buffer
}

// encodeXML writes an element and what is in it.
func encodeXML(root *element) ([]byte, error) {
	e := &encoder{}
	e.names(root)
	namespace := words(1, none, e.string("android"), e.string(androidSpace))
	e.body.Write(chunk(chunkStartNamespace, 16, namespace))
	if err := e.element(root); err != nil {
		return nil, err
	}
	e.body.Write(chunk(chunkEndNamespace, 16, namespace))
	resources := chunk(chunkResources, 8, words(e.resources...))
	return chunk(chunkXML, 8, slices.Concat(e.pool(), resources, e.body.Bytes())), nil
}

// names gives the names of Android's attributes their numbers.
func (e *encoder) names(el *element) {
	for _, a := range el.attributes {
		known, ok := attributes[a.Name.Local]
		if ok && !slices.Contains(e.strings, a.Name.Local) {
			e.strings = append(e.strings, a.Name.Local)
			e.resources = append(e.resources, known.id)
		}
	}
	for _, c := range el.children {
		e.names(c)
	}
}

// string is the number of a string.
func (e *encoder) string(s string) uint32 {
	i := slices.Index(e.strings, s)
	if i < 0 {
		i = len(e.strings)
		e.strings = append(e.strings, s)
	}
	return uint32(i)
}

// element writes an element with its attributes in the order of their IDs,
// which Android's parser goes by.
func (e *encoder) element(el *element) error {
	sorted := slices.Clone(el.attributes)
	slices.SortStableFunc(sorted, func(a, b xml.Attr) int { return cmp.Compare(order(a), order(b)) })
	name := e.string(el.name)
	start := words(1, none, none, name)
	for _, v := range []uint16{20, 20, uint16(len(sorted)), 0, 0, 0} { // where attributes begin, the size of one, …
		start = binary.LittleEndian.AppendUint16(start, v)
	}
	for _, a := range sorted {
		data, err := e.attribute(a)
		if err != nil {
			return err
		}
		start = append(start, data...)
	}
	e.body.Write(chunk(chunkStartElement, 16, start))
	for _, c := range el.children {
		if err := e.element(c); err != nil {
			return err
		}
	}
	e.body.Write(chunk(chunkEndElement, 16, words(1, none, none, name)))
	return nil
}

func order(a xml.Attr) uint32 {
	if a.Name.Space == androidSpace {
		return attributes[a.Name.Local].id
	}
	return none
}

func (e *encoder) attribute(a xml.Attr) ([]byte, error) {
	value := func(space, raw uint32, k kind, data uint32) []byte {
		b := words(space, e.string(a.Name.Local), raw)
		b = append(b, 8, 0, 0, byte(k)) // the size of the value
		return append(b, words(data)...)
	}
	if a.Name.Space != androidSpace {
		s := e.string(a.Value)
		return value(none, s, text, s), nil
	}
	space, known := e.string(androidSpace), attributes[a.Name.Local]
	data, ok := uint32(0), true
	switch known.kind {
	case text:
		s := e.string(a.Value)
		return value(space, s, text, s), nil
	case number:
		n, err := strconv.ParseUint(a.Value, 10, 31)
		data, ok = uint32(n), err == nil
	case boolean:
		if ok = a.Value == "true" || a.Value == "false"; a.Value == "true" {
			data = none
		}
	case resource:
		data, ok = references[a.Value]
		if !ok {
			data, ok = androidReferences[a.Value]
		}
	case flags:
		for name := range strings.SplitSeq(a.Value, "|") {
			bit, known := bits[name]
			ok = ok && known
			data |= bit
		}
	default:
		return nil, fmt.Errorf("android:%s is not known here", a.Name.Local)
	}
	if !ok {
		return nil, fmt.Errorf("android:%s=%q is not understood", a.Name.Local, a.Value)
	}
	return value(space, none, known.kind, data), nil
}

// pool writes the strings, in UTF-16.
func (e *encoder) pool() []byte {
	le := binary.LittleEndian
	var offsets []uint32
	var data []byte
	for _, s := range e.strings {
		offsets = append(offsets, uint32(len(data)))
		units := utf16.Encode([]rune(s))
		for _, u := range slices.Concat([]uint16{uint16(len(units))}, units, []uint16{0}) {
			data = le.AppendUint16(data, u)
		}
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	n := uint32(len(e.strings))
	return chunk(chunkStrings, 28, slices.Concat(words(n, 0, 0, 28+4*n, 0), words(offsets...), data))
}

// chunk is a chunk of a type, whose header has a size.
func chunk(kind, header uint16, body []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, header)
	return append(append(b, words(uint32(8+len(body)))...), body...)
}

func words(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
