// A reader's place in a log. Whatever changes the height of the log or of its
// window, the reader stays at its end, or at the row that they read.

export class Place {
	/** moved() is told when the reader goes to the end or leaves it. */
	constructor(scroller, log, moved) {
		Object.assign(this, {scroller, log, moved, stick: true, anchor: null, offset: 0, top: 0, size: ''});
		scroller.addEventListener('scroll', () => this.note());
		const sizes = new ResizeObserver(() => this.keep());
		sizes.observe(scroller);
		sizes.observe(log.parentNode);
	}

	measure() {
		const {scrollHeight, clientHeight, clientWidth} = this.scroller;
		return `${scrollHeight} ${clientHeight} ${clientWidth}`;
	}

	// The reader has scrolled, or the browser has because something changed its size.
	note() {
		if (this.measure() !== this.size) return this.keep();
		const {scrollTop, scrollHeight, clientHeight} = this.scroller, below = scrollHeight - scrollTop - clientHeight;
		if (below < 2 || below < 40 && scrollTop >= this.top) this.stick = true;
		else if (scrollTop < this.top) this.stick = false;
		this.top = scrollTop;
		this.remember();
		this.moved();
	}

	// The row that is read is the first one that begins in sight, or else the one
	// that fills it.
	remember() {
		const rows = this.log.children, {top: edge, bottom} = this.scroller.getBoundingClientRect();
		const top = row => row.lastChild.getBoundingClientRect().top;
		let from = 0, to = rows.length;
		while (from < to) {
			const middle = (from + to) >> 1;
			top(rows[middle]) >= edge - 1 ? to = middle : from = middle + 1;
		}
		this.anchor = (from < rows.length && top(rows[from]) < bottom ? rows[from] : rows[from - 1]) || null;
		this.offset = this.anchor ? top(this.anchor) - edge : 0;
	}

	/** Put the reader back, after any change. */
	keep() {
		const {scroller} = this, {scrollTop, scrollHeight, clientHeight} = scroller;
		// The reader has scrolled up, and the event is still to come: further than to where
		// the browser puts them in a window that has become higher.
		if (this.stick && scrollTop < Math.min(this.top, parseInt(this.size) - clientHeight) - 1 && scrollHeight - scrollTop - clientHeight >= 40) {
			this.stick = false;
			this.remember();
			setTimeout(() => this.moved());
		}
		const {anchor} = this;
		if (this.stick) scroller.scrollTop = scroller.scrollHeight;
		else if (anchor && anchor.isConnected) {
			const moved = anchor.lastChild.getBoundingClientRect().top - scroller.getBoundingClientRect().top - this.offset;
			if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
		}
		this.size = this.measure();
		this.top = scroller.scrollTop;
		if (this.stick || !anchor || !anchor.isConnected) this.remember();
	}

	/** Go to the end. */
	toEnd() {
		this.stick = true;
		this.top = 0;
		this.keep();
		this.moved();
	}

	/** Go to a row, seen so far from the upper edge. */
	goTo(anchor, offset) {
		Object.assign(this, {stick: false, anchor, offset});
		this.keep();
	}
}
