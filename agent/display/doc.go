// Package display covers the screens of one X11 session and says why: a window
// above everything, the keyboard and the mouse held, a ring that runs out. It
// runs as a process of its own, ends by its own clock, and decides nothing.
package display
