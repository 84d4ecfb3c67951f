package sqlitelog

import "time"

// watch looks after the log once a second, whether or not anyone writes to it.
type watch struct {
	stop chan struct{}
	done chan struct{}
}

const watchEvery = time.Second

func startWatch(look func()) *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan struct{})}
	go w.run(look)
	return w
}

func (w *watch) run(look func()) {
	defer close(w.done)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			look()
		case <-w.stop:
			return
		}
	}
}

func (w *watch) end() {
	close(w.stop)
	<-w.done
}
