// Package pack holds what makes a Debian package of the agent, and the test that
// lives through its life in a system of its own: installed, killed, upgraded,
// started anew without a network, removed.
package pack
