package packages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/gif" // forms in which pictures come
	_ "image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Owned is an app, whatever its version, of a scope.
type Owned struct {
	Authority org.ID
	rollout.App
}

// Look is how an app presents itself to people.
type Look struct {
	Title       rollout.Text
	Description rollout.Text
	// Picture is a file: PNG, JPEG, GIF or WebP. Nil leaves the one that is there, an
	// empty one takes it away.
	Picture []byte
}

// LargestPicture bounds the file of a picture, in bytes.
const LargestPicture = 2 << 20

// A file of few bytes may stand for a wall of pixels.
const (
	widestPicture = 4096
	iconSide      = 128
)

// SetLook changes how an app presents itself: the texts of this version, and the
// picture of all of its versions.
func (s *Service) SetLook(ctx context.Context, actor may.Actor, id org.ID, look Look) (Package, error) {
	pack, err := s.Find(ctx, actor, id)
	if err != nil {
		return Package{}, err
	}
	permit, err := may.Do(actor, may.AppWrite, org.Branch{Authority: pack.Authority})
	if err != nil {
		return Package{}, err
	}
	picture := look.Picture
	if len(picture) > 0 {
		if picture, err = icon(picture); err != nil {
			return Package{}, err
		}
	}
	texts := said(rollout.Package{Title: look.Title, Description: look.Description})
	if texts.Title.DE == "" && texts.Title.EN == "" {
		return Package{}, errs.E(errs.Invalid, "package.no_title").In("title")
	}
	before := pack.Package
	pack.Title, pack.Description = texts.Title, texts.Description
	if picture != nil {
		pack.Icon = ""
	}
	if len(picture) > 0 {
		sum := sha256.Sum256(picture)
		pack.Icon = hex.EncodeToString(sum[:])
	}
	return pack, s.Store.DressApp(ctx, permit, pack, before, picture)
}

// icon draws a picture anew, small and square, so that nothing of the file but its
// pixels goes on.
func icon(data []byte) ([]byte, error) {
	bad := func(cause error) error {
		return errs.E(errs.Invalid, "package.bad_picture").In("picture").Because(cause)
	}
	if len(data) > LargestPicture {
		return nil, errs.E(errs.Invalid, "package.large_picture", "megabytes", LargestPicture>>20).In("picture")
	}
	facts, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, bad(err)
	}
	if facts.Width < 1 || facts.Height < 1 || facts.Width > widestPicture || facts.Height > widestPicture {
		return nil, errs.E(errs.Invalid, "package.wide_picture", "most", widestPicture).In("picture")
	}
	drawn, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, bad(err)
	}
	small := image.NewNRGBA(image.Rect(0, 0, iconSide, iconSide))
	draw.CatmullRom.Scale(small, inside(drawn.Bounds()), drawn, drawn.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if err := png.Encode(&out, small); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// inside is where a picture stands in the square, as large as it fits.
func inside(bounds image.Rectangle) image.Rectangle {
	width, height := bounds.Dx(), bounds.Dy()
	longer := max(width, height)
	width, height = max(1, width*iconSide/longer), max(1, height*iconSide/longer)
	left, top := (iconSide-width)/2, (iconSide-height)/2
	return image.Rect(left, top, left+width, top+height)
}

// Icon returns a picture by its hash, as PNG. It is for everybody who knows the hash.
func (s *Service) Icon(ctx context.Context, sha256 string) ([]byte, error) {
	return s.Store.Icon(ctx, sha256)
}

// Icons returns the pictures of apps that an authority has: its own go before the
// operator's.
func (s *Service) Icons(ctx context.Context, authority org.ID) (map[rollout.App]string, error) {
	owned, err := s.Store.Icons(ctx, []org.ID{"", authority})
	icons := make(map[rollout.App]string, len(owned))
	for app, hash := range owned {
		if _, known := icons[app.App]; !known || app.Authority != "" {
			icons[app.App] = hash
		}
	}
	return icons, err
}

// addIcons names the pictures of packages.
func (s *Service) addIcons(ctx context.Context, scopes []org.ID, list []Package) error {
	owned, err := s.Store.Icons(ctx, scopes)
	for i := range list {
		list[i].Icon = owned[Owned{list[i].Authority, list[i].App()}]
	}
	return err
}
