package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"schulwart.org/policies/ddm"
)

// mostItems bounds a manifest; a device has a few dozen declarations.
const mostItems = 2000

// errMoved says that the server's set changed while it was fetched.
var errMoved = errors.New("remote: declarations changed meanwhile")

// errUntaken says that the device itself could not take a set, as when its disk
// is full: server and network are well.
var errUntaken = errors.New("taking declarations")

// synchronize fetches what changed, and reports whether anything did. The same
// token means that nothing is to do.
func (s *Session) synchronize(ctx context.Context) (took bool, err error) {
	offered, err := s.client.tokens(ctx)
	if err != nil {
		return false, fmt.Errorf("asking for tokens: %w", err)
	}
	token, known := s.config.Device.Known()
	if offered == token {
		return false, nil
	}
	for range 3 {
		if err = s.fetch(ctx, known); !errors.Is(err, errMoved) {
			break
		}
	}
	if err != nil {
		return false, err
	}
	return true, nil
}

// fetch gets a whole set, what is known already from memory, and hands it over.
func (s *Session) fetch(ctx context.Context, known map[string]ddm.Declaration) error {
	manifest, err := s.client.manifest(ctx)
	if err != nil {
		return fmt.Errorf("fetching manifest: %w", err)
	}
	var set []ddm.Declaration
	for class, items := range manifest.Items() {
		if len(set)+len(items) > mostItems {
			return errors.New("fetching declarations: too many")
		}
		for _, item := range items {
			declaration, ok := known[item.Identifier]
			if !ok || declaration.ServerToken != item.ServerToken {
				if declaration, err = s.client.declaration(ctx, class, item.Identifier); err != nil {
					return moved(err)
				}
			}
			if declaration.Identifier != item.Identifier || declaration.ServerToken != item.ServerToken || ddm.ClassOf(declaration.Type) != class {
				return errMoved
			}
			set = append(set, declaration)
		}
	}
	if err := s.config.Device.Take(manifest, set); err != nil {
		return fmt.Errorf("%w: %w", errUntaken, err)
	}
	return nil
}

// moved turns "no such declaration" into what it means: the manifest is old.
func moved(err error) error {
	var fault Fault
	if errors.As(err, &fault) && fault.Status == http.StatusNotFound {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	return fmt.Errorf("fetching declaration: %w", err)
}
