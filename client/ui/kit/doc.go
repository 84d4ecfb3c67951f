// Package kit has the widgets of the app, and what they are drawn with: colours,
// fonts, icons, motion. It knows nothing of rooms.
//
// Fyne asks an object for its least size before it gives it a width. Text that wraps
// has no answer. The containers here, Column, Row, Flow and Filled, ask for the
// height at a width instead (Fit).
package kit
