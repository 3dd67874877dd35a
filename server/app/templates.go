package app

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"

	"schulwart.org/policies/sheet"
	"schulwart.org/server/config"
	"schulwart.org/web"
)

// keyBlock names the secret key of a publisher in its file.
const keyBlock = "SCHULWART TEMPLATE KEY"

// TemplateKey prints the public part of a publisher's key, which it makes if the
// file is not there.
func TemplateKey(c *config.TemplateKey, t Terminal) error {
	key, err := readKey(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(c.File)
	}
	if err != nil {
		return err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	_, err = fmt.Fprintf(t.Out, "Public key: %s\nFingerprint: %s\nGive both to whoever takes your templates over, the fingerprint by another way than the key. Keep %s secret.\n",
		sheet.WriteKey(public), sheet.Fingerprint(public), c.File)
	return err
}

func makeKey(name string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing the key: %w", err)
	}
	err = pem.Encode(file, &pem.Block{Type: keyBlock, Bytes: key.Seed()})
	return key, errors.Join(err, file.Close())
}

func readKey(name string) (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != keyBlock || len(block.Bytes) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is not a key of templates", name)
	}
	return ed25519.NewKeyFromSeed(block.Bytes), nil
}

// TemplatePack signs a sheet as a version of a template. A sheet with faults is
// refused with file and line.
func TemplatePack(c *config.TemplatePack, t Terminal) error {
	key, err := readKey(c.Key)
	if err != nil {
		return err
	}
	content, err := readAtMost(c.Sheet, sheet.MostPackage)
	if err != nil {
		return err
	}
	template := sheet.Template{Name: c.Name, Title: c.Title, Version: c.Revision, Publisher: c.Publisher, Sheet: string(content)}
	if _, faults := template.Read(); len(faults) > 0 {
		return tellFaults(t.Out, c.Sheet, c.Lang, faults)
	}
	data, err := sheet.Pack(template, key)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err = t.Out.Write(append(data, '\n'))
		return err
	}
	return os.WriteFile(c.Out, append(data, '\n'), 0o644) //nolint:gosec // a package is there to be given away
}

// TemplateInspect says what is in a package. A broken signature is an error.
func TemplateInspect(c *config.TemplateInspect, t Terminal) error {
	data, err := readAtMost(c.File, sheet.MostPackage)
	if err != nil {
		return err
	}
	template, key, err := sheet.Unpack(data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintf(t.Out, "%s (%s), version %d\nPublisher: %s\nSigned by: %s\n", template.Title, template.Name, template.Version, template.Publisher, sheet.Fingerprint(key))
	read, faults := template.Read()
	if len(faults) > 0 {
		return tellFaults(t.Out, c.File, c.Lang, faults)
	}
	names := make([]string, 0, len(read.Families))
	for name := range read.Families {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(t.Out, "  %s: %s\n", name, brief(read.Families[name].Settings))
	}
	return nil
}

func tellFaults(out io.Writer, file, lang string, faults []sheet.Fault) error {
	for _, f := range faults {
		var args []any
		for name, value := range f.Args {
			args = append(args, name, value)
		}
		fmt.Fprintf(out, "%s:%d: %s: %s\n", file, f.Line, f.Field, web.T(lang, "error."+f.Key, args...))
	}
	return fmt.Errorf("%d faults", len(faults))
}

// readAtMost reads a file of at most so many bytes.
func readAtMost(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is longer than %d MB", name, most>>20)
	}
	return data, err
}
