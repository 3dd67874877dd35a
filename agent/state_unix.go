//go:build unix

package main

const defaultState = "/var/lib/schulwart-agent"
