package packages

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// Places are where files of programs lie.
type Places interface {
	host.Tree
	// Place copies a file to the path in one step, if it has the SHA-256.
	Place(path, from string, mode fs.FileMode, sum []byte) error
	// SumOf returns the SHA-256 of a file that everybody may run, or an error that is
	// fs.ErrNotExist.
	SumOf(path string) ([]byte, error)
}

// AppImage lays programs that are one file into a folder of ours, with an entry in
// the menu. Each has a folder of its own, so that what holds for one program holds
// for no other. The program itself is never run here.
type AppImage struct{ Places Places }

const appImageDir = "/opt/schulwart/apps"

func appImagePath(name, version string) string {
	return path.Join(appImageDir, name, name+"-"+version+".AppImage")
}

// Able has nothing to refuse: it needs no program of the system.
func (AppImage) Able(rollout.Declared) *ddm.Reason { return nil }

func (s AppImage) entry(d rollout.Declared) []byte {
	file := appImagePath(d.Name, d.Version)
	return entryText(d, file+" %U", "TryExec="+file)
}

// Present names the version whose file is there as it was declared and which the
// menu starts; of another one, what the menu starts.
func (s AppImage) Present(_ context.Context, d rollout.Declared) (string, error) {
	entry, err := s.Places.Read(entryPath(d.Name))
	if errors.Is(err, fs.ErrNotExist) {
		if len(s.Places.List(path.Join(appImageDir, d.Name))) == 0 {
			return "", nil
		}
		return half(""), nil // a file without an entry, or what an interruption left
	}
	if err != nil {
		return "", err
	}
	version := entryVersion(entry)
	sum, err := s.Places.SumOf(appImagePath(d.Name, version))
	switch {
	case version != d.Version && err == nil:
		return version, nil
	case err == nil && hex.EncodeToString(sum) == d.SHA256 && bytes.Equal(entry, s.entry(d)) && len(s.Places.List(path.Join(appImageDir, d.Name))) == 1:
		return version, nil
	}
	return half(version), nil
}

// Install lays the file beside the former one, lets the menu start it, and only
// then takes the former away.
func (s AppImage) Install(_ context.Context, d rollout.Declared, file string) error {
	sum, err := hex.DecodeString(d.SHA256)
	if err != nil {
		return err
	}
	if err := s.Places.Place(appImagePath(d.Name, d.Version), file, 0o755, sum); err != nil {
		return err
	}
	if _, err := s.Places.Write(entryPath(d.Name), s.entry(d)); err != nil {
		return err
	}
	return s.clear(d.Name, appImagePath(d.Name, d.Version))
}

// Remove takes the entry away before the program.
func (s AppImage) Remove(_ context.Context, d rollout.Declared) error {
	if err := s.Places.Remove(entryPath(d.Name)); err != nil {
		return err
	}
	if err := s.clear(d.Name, ""); err != nil {
		return err
	}
	return s.Places.Remove(path.Join(appImageDir, d.Name))
}

// clear removes all files of a program but one.
func (s AppImage) clear(name, but string) error {
	dir := path.Join(appImageDir, name)
	for _, file := range s.Places.List(dir) {
		if file = path.Join(dir, file); file != but {
			if err := s.Places.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}
