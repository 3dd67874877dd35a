// Package linux makes rules true on Linux: one driver for the network, one for
// browsers, one for the screen, one for programs, one for notices, and one for
// every family of the base policy that none of these carries out. Drivers decide and host acts, so all of it compiles and is tested everywhere.
package linux
