package scripts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "schulwart.org/"

// file is what the laws look at. Files of every system and tag are read: a law
// that holds on Linux only is none.
type file struct {
	path      string // "server/lesson/start.go"
	pkg       string // "server/lesson"
	imports   []string
	uses      []use
	sql       []string // where statements of SQL stand
	skips     []string // where a test leaves itself out
	lines     int
	test      bool
	generated bool
	doc       bool
}

// use is a name of an imported package.
type use struct {
	at, pkg, name string
}

type importLaw struct {
	name, why string
	in        func(path string) bool
	forbid    func(pkg, imported string) bool
	tests     bool // tests must keep it too
}

type useLaw struct {
	name, why string
	in        func(path string) bool
	calls     map[string][]string // by package
	names     map[string]string   // package to the beginning of a name
}

func (l useLaw) forbids(u use) bool {
	for _, name := range l.calls[u.pkg] {
		if u.name == name {
			return true
		}
	}
	prefix, ok := l.names[u.pkg]
	return ok && strings.HasPrefix(u.name, prefix) && u.name != "StatusText"
}

func everywhere(string) bool { return true }

// under holds for packages and files at or below the folders.
func under(folders ...string) func(string) bool {
	return func(path string) bool {
		for _, folder := range folders {
			if within(path, folder) {
				return true
			}
		}
		return false
	}
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// exactly holds for the files of one package, and not for those below it.
func exactly(pkg string) func(string) bool {
	return func(name string) bool { return name == pkg || path.Dir(name) == pkg }
}

func except(in func(string) bool, outs ...func(string) bool) func(string) bool {
	return func(path string) bool {
		for _, out := range outs {
			if out(path) {
				return false
			}
		}
		return in(path)
	}
}

// ours forbids packages of this module at or below the folders.
func ours(folders ...string) func(pkg, imported string) bool {
	in := under(folders...)
	return func(_, imported string) bool { return in(imported) }
}

// these forbids packages by pattern; "*" stands for anything.
func these(patterns ...string) func(pkg, imported string) bool {
	return func(_, imported string) bool {
		for _, pattern := range patterns {
			prefix, open := strings.CutSuffix(pattern, "*")
			if imported == pattern || open && strings.HasPrefix(imported, prefix) {
				return true
			}
		}
		return false
	}
}

func join(forbids ...func(pkg, imported string) bool) func(pkg, imported string) bool {
	return func(pkg, imported string) bool {
		for _, forbid := range forbids {
			if forbid(pkg, imported) {
				return true
			}
		}
		return false
	}
}

// room returns the first two folders of a package: "server/push/stream" belongs
// to "server/push".
func room(pkg string) string {
	parts := strings.SplitN(pkg, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// reachable returns every package of ours that the packages in question import,
// directly or through others, with the way there.
func reachable(house []file, from func(string) bool) map[string][]string {
	graph := map[string]map[string]bool{}
	for _, f := range house {
		if f.test {
			continue
		}
		if graph[f.pkg] == nil {
			graph[f.pkg] = map[string]bool{}
		}
		for _, imported := range f.imports {
			graph[f.pkg][imported] = true
		}
	}
	reach := map[string][]string{}
	var walk func(pkg string, way []string)
	walk = func(pkg string, way []string) {
		for imported := range graph[pkg] {
			if _, known := reach[imported]; known || graph[imported] == nil {
				continue
			}
			reach[imported] = append(append([]string{}, way...), imported)
			walk(imported, reach[imported])
		}
	}
	for pkg := range graph {
		if from(pkg) {
			walk(pkg, []string{pkg})
		}
	}
	return reach
}

var surveyed = sync.OnceValues(readHouse)

func survey(t *testing.T) []file {
	t.Helper()
	house, err := surveyed()
	if err != nil {
		t.Fatal(err)
	}
	return house
}

// readHouse reads every Go file of the project. It needs no build, so the laws
// hold for a tree in the middle of a change too.
func readHouse() ([]file, error) {
	var house []file
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == "bin" || entry.Name() == "dist") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := read(name)
		house = append(house, f)
		return err
	})
	return house, err
}

func read(name string) (file, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, nil, parser.ParseComments)
	if err != nil {
		return file{}, err
	}
	slashed := strings.TrimPrefix(filepath.ToSlash(name), "../")
	f := file{
		path: slashed, pkg: path.Dir(slashed), test: strings.HasSuffix(name, "_test.go"),
		lines: set.File(tree.Pos()).LineCount(), generated: ast.IsGenerated(tree), doc: tree.Doc != nil,
	}
	names := map[string]string{}
	for _, spec := range tree.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		f.imports = append(f.imports, strings.TrimPrefix(imported, module))
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		names[local] = imported
	}
	ast.Inspect(tree, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			if strings.HasPrefix(n.Sel.Name, "Skip") && skipsATest(n.X) {
				f.skips = append(f.skips, where(set, n, slashed))
			}
			if x, ok := n.X.(*ast.Ident); ok && names[x.Name] != "" && x.Obj == nil {
				f.uses = append(f.uses, use{at: where(set, n, slashed), pkg: names[x.Name], name: n.Sel.Name})
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && statement.MatchString(n.Value) {
				f.sql = append(f.sql, where(set, n, slashed))
			}
		}
		return true
	})
	return f, nil
}

// skipsATest reports whether something is a parameter of a test's kind:
// *testing.T, testing.TB and so on. A drawn case (*rapid.T) may be left out for
// the next one.
func skipsATest(x ast.Expr) bool {
	name, ok := x.(*ast.Ident)
	if !ok || name.Obj == nil {
		return false
	}
	field, ok := name.Obj.Decl.(*ast.Field)
	if !ok {
		return false
	}
	kind := field.Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	of, ok := kind.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := of.X.(*ast.Ident)
	return ok && pkg.Name == "testing"
}

var statement = regexp.MustCompile("^[`\"]\\s*(SELECT\\s|INSERT INTO\\s|UPDATE \\w+\\s+SET\\s|DELETE FROM\\s|CREATE (TABLE|INDEX|UNIQUE INDEX)\\s|ALTER TABLE\\s|DROP TABLE\\s|WITH RECURSIVE\\s|VACUUM\\b|PRAGMA\\s)")

func where(set *token.FileSet, node ast.Node, name string) string {
	return name + ":" + strconv.Itoa(set.Position(node.Pos()).Line)
}
