package linux

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
)

// certificates adds authorities to the store of the system, which most programs
// read. Browsers keep stores of their own; their driver adds the same ones there.
var certificates = Family{
	Of:       catalog.Certificates,
	Possible: needs("update-ca-certificates"),
	Patience: time.Minute,
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		files := map[string]File{}
		for _, root := range s.Items("roots") {
			files[rootFile(root)] = File{Data: []byte(root.Text("certificate"))}
		}
		return files, nil
	},
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		if !d.Commands.Has("update-ca-certificates") {
			return nil
		}
		_, err := d.Commands.Run(ctx, host.Command{Name: "update-ca-certificates", Args: refresh(d.Tree, s)})
		return err
	},
	Look: func(_ context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		bundle, err := d.Tree.Read(rootBundle)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return differs("family.changed", "file", rootBundle)
		}
		for _, root := range s.Items("roots") {
			if !bytes.Contains(bundle, []byte(strings.TrimSpace(root.Text("certificate")))) {
				return differs("certificates.gone", "name", root.Text("name"))
			}
		}
		return nil
	},
}

// Debian's and Ubuntu's places (update-ca-certificates(8)).
const (
	rootDir    = "/usr/local/share/ca-certificates"
	rootBundle = "/etc/ssl/certs/ca-certificates.crt"
)

// rootFile is named after the certificate's content: a new one under the same
// name is another file.
func rootFile(root catalog.Settings) string {
	return path.Join(rootDir, "schulwart-"+short(root.Text("certificate"))+".crt")
}

// refresh has all links made anew where one of ours leads nowhere: of itself the
// program only adds. Without need it is left aside, since for a moment there are
// none.
func refresh(tree host.Tree, s catalog.Settings) []string {
	wanted := map[string]bool{}
	for _, root := range s.Items("roots") {
		wanted[strings.TrimSuffix(path.Base(rootFile(root)), ".crt")+".pem"] = true
	}
	for _, name := range tree.List(path.Dir(rootBundle)) {
		if strings.HasPrefix(name, "schulwart-") && !wanted[name] {
			return []string{"--fresh"}
		}
	}
	return nil
}

// short names a text by sixteen letters of its hash.
func short(text string) string { return strings.TrimPrefix(hashOf([]byte(text)), "sha256:")[:16] }
