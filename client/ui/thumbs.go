package ui

import (
	"bytes"
	"container/list"
	"context"
	"image"

	"parley/client/picture"
	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/shared"
)

// Bounds of the thumbnails that are kept ready to be drawn.
const (
	maxThumbs  = 64 << 20 // bytes of pixels
	thumbLoads = 3        // at once
	thumbQueue = 64       // that wait; older requests are forgotten
)

// thumbs are the thumbnails that were shown last, in all rooms. Each is loaded when
// its message comes into sight.
type thumbs struct {
	client *client
	images map[string]*list.Element // of *thumb, by the file's id
	order  *list.List               // the one that was drawn last in front
	size   int                      // bytes of pixels
	asked  map[string]bool          // by the file's id: waits, or is being loaded
	failed map[string]bool          // by the file's id
	queue  []thumbRequest
	loads  int
}

type thumb struct {
	file  string
	image image.Image
	size  int
}

type thumbRequest struct {
	room *session.Room
	item session.Item
	draw func()
}

func newThumbs(c *client) *thumbs {
	return &thumbs{client: c, images: make(map[string]*list.Element), order: list.New(), asked: make(map[string]bool), failed: make(map[string]bool)}
}

// roomThumbs are the thumbnails of a list of messages.
type roomThumbs struct {
	all  *thumbs
	room *session.Room
	list *conversation.List
}

// showThumbs makes a list of a room's messages show thumbnails.
func (c *client) showThumbs(room *session.Room, l *conversation.List) {
	l.SetThumbs(roomThumbs{c.thumbs, room, l})
}

// Of is the thumbnail of a message's file; nil if it has yet to be loaded.
func (t roomThumbs) Of(item session.Item) image.Image {
	return t.all.of(thumbRequest{t.room, item, func() { t.list.Redraw(item.File.ID) }})
}

func (t *thumbs) of(r thumbRequest) image.Image {
	id := r.item.File.ID
	if e := t.images[id]; e != nil {
		t.order.MoveToFront(e)
		return e.Value.(*thumb).image
	}
	if t.asked[id] || t.failed[id] {
		return nil
	}
	t.asked[id] = true
	if t.queue = append(t.queue, r); len(t.queue) > thumbQueue {
		delete(t.asked, t.queue[0].item.File.ID)
		t.queue = t.queue[1:]
	}
	t.load()
	return nil
}

// load begins with the last one that was asked for: it is in sight.
func (t *thumbs) load() {
	for t.loads < thumbLoads && len(t.queue) > 0 {
		last := len(t.queue) - 1
		r := t.queue[last]
		t.queue = t.queue[:last]
		t.loads++
		b := t.client.bridge
		b.Run(b.Context, func(ctx context.Context) func() {
			img, err := loadThumb(ctx, r)
			return func() { t.loaded(r, img, err) }
		})
	}
}

// loadThumb reads a thumbnail, which may be anything: others have made it.
func loadThumb(ctx context.Context, r thumbRequest) (image.Image, error) {
	data, err := r.room.Thumb(ctx, r.item)
	if err != nil {
		return nil, err
	}
	return picture.Decode(bytes.NewReader(data), shared.MaxThumbSide*shared.MaxThumbSide, shared.MaxThumbSide)
}

func (t *thumbs) loaded(r thumbRequest, img image.Image, err error) {
	id := r.item.File.ID
	t.loads--
	delete(t.asked, id)
	if err != nil {
		t.failed[id] = true
	} else {
		t.keep(id, img)
		r.draw()
	}
	t.load()
}

// keep makes room for a thumbnail by forgetting those that were drawn longest ago.
func (t *thumbs) keep(id string, img image.Image) {
	if t.images[id] != nil {
		return
	}
	v := &thumb{id, img, 4 * img.Bounds().Dx() * img.Bounds().Dy()}
	t.images[id] = t.order.PushFront(v)
	for t.size += v.size; t.size > maxThumbs && t.order.Len() > 1; {
		t.forget(t.order.Back())
	}
}

func (t *thumbs) forget(e *list.Element) {
	v := t.order.Remove(e).(*thumb)
	delete(t.images, v.file)
	t.size -= v.size
}

// again lets what could not be loaded be asked for again, as after a connection was
// made.
func (t *thumbs) again() { clear(t.failed) }
