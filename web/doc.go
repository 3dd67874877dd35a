// Package web is everything that people read in the console: pages, fragments,
// static files and words in German and English. It imports nothing of ours and
// asks nobody: each component draws exactly what stands in its one struct.
//
// A struct XPage is drawn by the component X as a whole page; a struct XPart is
// drawn by XFragment and is the same block that the whole page uses, so that
// htmx and server-sent events replace like with like. Texts that come from
// other rooms arrive as keys with arguments (Sentence, Problem), never as
// finished sentences; instants arrive as time.Time and are told in the school's
// time zone. Addresses are built from the patterns in paths.go, with which the
// console registers its routes.
package web

// After a change to a .templ file: go generate ./web. The generator comes by
// its module; the sums let a test see, with Go alone, that nobody forgot.
//
//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate
//go:generate go test -tags nomsgpack -run TestGeneratedFilesAreCurrent -update .
