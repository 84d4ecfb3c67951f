package codec5

import (
	"bytes"
	"encoding/json"
)

// field is a member of a JSON object: its name, unescaped, and its value as it
// stands in the frame.
type field struct{ name, value []byte }

// splitObject returns the fields of a frame, if it is one JSON object and
// nothing else. What it returns lies in data.
func splitObject(data []byte) (fields []field, ok bool) {
	// From here on data is valid JSON, so walking it needs no checks.
	if !json.Valid(data) {
		return nil, false
	}
	i := skipSpace(data, 0)
	if data[i] != '{' {
		return nil, false
	}
	fields = make([]field, 0, 8)
	for {
		i = skipSpace(data, i+1) // after { or ,
		if data[i] == '}' {
			return fields, true
		}
		end := skipValue(data, i)
		name := data[i+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			var s string
			if json.Unmarshal(data[i:end], &s) != nil {
				return nil, false
			}
			name = []byte(s)
		}
		i = skipSpace(data, skipSpace(data, end)+1) // after :
		end = skipValue(data, i)
		fields = append(fields, field{name, data[i:end]})
		if i = skipSpace(data, end); data[i] == '}' {
			return fields, true
		}
	}
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the index after the value that begins at i.
func skipValue(data []byte, i int) int {
	depth := 0
	for ; ; i++ {
		switch data[i] {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 {
				continue // inside, only strings and brackets matter
			}
			for i+1 < len(data) && bytes.IndexByte([]byte(",]} \t\r\n"), data[i+1]) < 0 {
				i++
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
}
