// Package scripts holds what is needed to build, check and try the project, and
// the laws of the house (arch_test.go). No program imports it.
package scripts
