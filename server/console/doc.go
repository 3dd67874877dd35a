// Package console is the door for people: pages in German and English, drawn by
// web, for teachers, schools, the help desk and the operator. A handler reads,
// asks one room and answers; it returns its error, and one exit turns errors
// into pages. Rules of school life live in the rooms, not here.
package console
