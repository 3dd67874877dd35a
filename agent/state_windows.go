package main

const defaultState = `C:\ProgramData\Schulwart\Agent`
