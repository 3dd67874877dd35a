// Package linux makes rules true on Linux: one driver for the network, one for
// browsers, one for the screen, one for programs and one for notices. Drivers
// decide and host acts, so all of it compiles and is tested everywhere.
package linux
