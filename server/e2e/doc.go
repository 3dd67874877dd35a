// Package e2e lets the whole house live: the real server, the real agent and
// simulated iPads, in one process where Go is enough, and over network
// namespaces with real browsers where it is not. It holds tests only.
package e2e
