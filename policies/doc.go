// Package policies is the ground that server and agent share: what a device
// should have, and the words in which they speak of it. Nothing below it does
// I/O, looks at a clock or takes a context; its faults are values.
package policies
