package ooxml

import (
	"errors"
	"path"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// relationship is a part's reference to another part, or to the world.
type relationship struct {
	id, kind, target string
	external         bool
}

// relationships lists what a part refers to, in its order; "" is the package.
func (d *document) relationships(name string) []relationship {
	p := d.zip.Part(path.Join(path.Dir(name), "_rels", path.Base(name)+".rels"))
	if name == "" {
		p = d.zip.Part("_rels/.rels")
	}
	if p == nil {
		return nil
	}
	r, err := p.Open()
	if err != nil {
		return nil
	}
	defer r.Close() //nolint:errcheck // only read
	var all []relationship
	err = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		if kind != extract.XMLStart || x.Name != "Relationship" {
			return nil
		}
		rel := relationship{x.Attr("Id"), x.Attr("Type"), x.Attr("Target"), strings.EqualFold(x.Attr("TargetMode"), "External")}
		if !rel.external {
			rel.target = resolve(name, rel.target)
		}
		all = append(all, rel)
		if len(all) > d.in.Limits.Entries {
			return extract.ErrLimit
		}
		return nil
	})
	if errors.Is(err, extract.ErrLimit) {
		d.flow.Gap(p.Name, err)
	}
	return all
}

// resolve makes a target that is relative to a part one of the package.
func resolve(from, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if strings.HasPrefix(target, "/") {
		return strings.TrimPrefix(path.Clean(target), "/")
	}
	return strings.TrimPrefix(path.Join(path.Dir(from), target), "/")
}

func ignoreDamage(err error) error {
	if errors.Is(err, extract.ErrDamaged) {
		return nil
	}
	return err
}
