package files

import (
	"sync"

	"parley/server/chat"
)

// parts are what the files take of the disk that are not whole: their bytes, and
// chat.FileOverhead each.
type parts struct {
	mu   sync.Mutex
	of   map[string]part // by id
	held map[chat.FileHolder]int64
	all  int64
}

type part struct {
	holder chat.FileHolder
	bytes  int64
}

// add counts bytes that have come, or a thumbnail with n 0.
func (p *parts) add(row chat.FileRow, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of, p.held = make(map[string]part), make(map[chat.FileHolder]int64)
	}
	one, known := p.of[row.ID]
	if !known {
		n += chat.FileOverhead
	}
	one.holder = row.Holder()
	one.bytes += n
	p.of[row.ID] = one
	p.held[one.holder] += n
	p.all += n
}

// remove forgets a file, which is whole or gone. It does nothing if there is none.
func (p *parts) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.of[id]
	if !ok {
		return
	}
	delete(p.of, id)
	p.all -= one.bytes
	if p.held[one.holder] -= one.bytes; p.held[one.holder] == 0 {
		delete(p.held, one.holder)
	}
}

func (p *parts) bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all
}

func (p *parts) has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.of[id]
	return ok
}

// heaviest returns the largest file of whoever holds most, if that is more than another
// holder will have with n bytes more: otherwise the two would push each other out.
func (p *parts) heaviest(than chat.FileHolder, n int64) (id string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	most, bytes := than, p.held[than]+n
	for holder, held := range p.held {
		if held > bytes && holder != than {
			most, bytes = holder, held
		}
	}
	if most == than {
		return "", false
	}
	for one, part := range p.of {
		if part.holder == most && (id == "" || part.bytes > p.of[id].bytes) {
			id = one
		}
	}
	return id, id != ""
}
