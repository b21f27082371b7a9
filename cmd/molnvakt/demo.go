package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/cmd/molnvakt/demodata"
	"github.com/molnvakt/molnvakt/scanner"
	"github.com/molnvakt/molnvakt/sources/folder"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
	"github.com/molnvakt/molnvakt/sources/graph/sdk"
)

const (
	demoSeed      = 1
	demoDocuments = 300
)

func (p *program) demoCommand() *cobra.Command {
	var documents int
	var seed uint64
	report := reportFlags{format: "text", folder: "demo"}
	cmd := &cobra.Command{
		Use:  "demo",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if documents < 1 {
				return &fault{key: "fault.usage", args: []any{"--documents", "molnvakt demo"}}
			}
			return p.demo(cmd.Context(), seed, documents, report)
		},
	}
	cmd.Flags().IntVar(&documents, "documents", demoDocuments, "")
	cmd.Flags().Uint64Var(&seed, "seed", demoSeed, "")
	cmd.Flags().StringVar(&report.folder, "reports", report.folder, "")
	return cmd
}

// demo scans an invented municipality: a simulated tenant and a file server.
// It begins anew each time, in a folder of its own beside the reports.
func (p *program) demo(ctx context.Context, seed uint64, documents int, report reportFlags) error {
	data := filepath.Join(report.folder, "data")
	if err := os.RemoveAll(data); err != nil {
		return &fault{key: "fault.data", args: []any{data}, err: err}
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return &fault{key: "fault.data", args: []any{data}, err: err}
	}
	p.config = &Config{Data: data, Language: p.config.Language, Log: p.config.Log}
	p.config.Scan.CountTestNumbers = true // the invented people have no other numbers
	if err := p.config.complete(); err != nil {
		return err
	}
	rules, err := demodata.Policy()
	if err != nil {
		return err
	}
	p.config.Policy = filepath.Join(data, "policy.yaml")
	if err := os.WriteFile(p.config.Policy, rules, 0o600); err != nil {
		return &fault{key: "fault.output", args: []any{p.config.Policy}, err: err}
	}
	all, err := demodata.Generate(seed, documents)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.out, p.words.T("demo.intro", demodata.Municipality, len(all)))
	fmt.Fprintln(p.out)
	tenant, err := graphtest.New(graphtest.Options{Host: "bjorkfors.sharepoint.com"})
	if err != nil {
		return err
	}
	defer tenant.Close()
	shares := filepath.Join(data, "filserver")
	if err := furnish(tenant, shares, all); err != nil {
		return err
	}
	places, free, err := p.demoPlaces(tenant, data, shares)
	if err != nil {
		return err
	}
	defer free()
	return p.scan(ctx, places, report)
}

// furnish puts the documents where they lie: into the tenant's sites and onto
// the file server.
func furnish(tenant *graphtest.Tenant, shares string, all []demodata.Document) error {
	sites := map[string]*graphtest.Site{}
	drives := map[string]*graphtest.Drive{}
	for _, d := range all {
		if !d.Place.Tenant() {
			file := filepath.Join(shares, d.Place.Site, d.Place.Drive, filepath.FromSlash(d.Path))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(file, d.Content, 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(file, d.Modified, d.Modified); err != nil {
				return err
			}
			continue
		}
		if sites[d.Place.Site] == nil {
			sites[d.Place.Site] = tenant.AddSite(graphtest.SiteSpec{Title: d.Place.Site})
		}
		key := d.Place.Site + "\x00" + d.Place.Drive
		if drives[key] == nil {
			drives[key] = sites[d.Place.Site].AddDrive(graphtest.DriveSpec{Name: d.Place.Drive})
		}
		item := drives[key].PutFile(d.Path, graphtest.File{Content: d.Content, Owner: demodata.Mail(d.Owner)})
		if grant := demoGrant(d); grant != nil {
			item.Share(grant)
		}
	}
	return nil
}

// demoGrant is how Graph tells the sharing of a document.
func demoGrant(d demodata.Document) graphtest.Permission {
	link := func(scope string) graphtest.Permission {
		return graphtest.Permission{"id": "link", "roles": []string{"read"}, "link": map[string]any{"type": "view", "scope": scope}}
	}
	switch d.Sharing {
	case demodata.Anonymous:
		return link("anonymous")
	case demodata.Organisation:
		return link("organization")
	case demodata.Guest:
		name := "konsult_" + strings.TrimSuffix(path.Base(d.Path), path.Ext(d.Path)) + "#ext#@bjorkfors.onmicrosoft.example"
		return graphtest.Permission{"id": "guest", "roles": []string{"write"}, "grantedToV2": map[string]any{
			"siteUser": map[string]any{"displayName": "Extern konsult", "loginName": "i:0#.f|membership|" + strings.ReplaceAll(name, " ", "")},
		}}
	}
	return nil
}

func (p *program) demoPlaces(tenant *graphtest.Tenant, data, shares string) ([]scanner.Place, func(), error) {
	config, err := tenant.Config(data)
	if err != nil {
		return nil, nil, err
	}
	config.Organisation = demodata.Municipality
	cloud, err := sdk.Open(config, version)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(shares, 0o700); err != nil {
		return nil, nil, err
	}
	files, err := folder.Open(folder.Config{Path: shares, LinkBase: `\\filserver`})
	if err != nil {
		return nil, nil, err
	}
	return []scanner.Place{
		{Name: "m365", Service: "m365", Source: cloud, OCR: p.config.Scan.OCR},
		{Name: "filserver", Service: "onprem", Source: files, OCR: p.config.Scan.OCR},
	}, func() { files.Close() }, nil
}
