package pdf

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// maxAnnotations bounds the annotations read of one page.
const maxAnnotations = 20_000

// openForm makes the values of form fields readable, if there are any.
func (d *document) openForm() {
	kind, err := d.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: d.ref})
	if !d.check(err) || kind.FormType == enums.FPDF_FORMTYPE_NONE {
		return
	}
	opened, err := d.FPDFDOC_InitFormFillEnvironment(&requests.FPDFDOC_InitFormFillEnvironment{
		Document: d.ref,
		FormFillInfo: structs.FPDF_FORMFILLINFO{
			FFI_Invalidate:         func(references.FPDF_PAGE, float64, float64, float64, float64) {},
			FFI_SetCursor:          func(enums.FXCT) {},
			FFI_SetTimer:           func(int, func(int)) int { return 0 },
			FFI_KillTimer:          func(int) {},
			FFI_GetLocalTime:       func() structs.FPDF_SYSTEMTIME { return structs.FPDF_SYSTEMTIME{} },
			FFI_GetPage:            func(references.FPDF_DOCUMENT, int) *references.FPDF_PAGE { return nil },
			FFI_GetRotation:        func(references.FPDF_PAGE) enums.FPDF_PAGE_ROTATION { return 0 },
			FFI_ExecuteNamedAction: func(string) {},
		},
	})
	if d.check(err) {
		d.form = &opened.FormHandle
	}
}

func (d *document) closeForm() {
	if d.form == nil {
		return
	}
	_, err := d.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: *d.form})
	d.check(err)
	d.form = nil
}

// annotations writes what annotations and form fields of a page say and
// returns how many bytes that was.
func (d *document) annotations(p requests.Page, place string) (int, error) {
	count, err := d.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: p})
	if !d.check(err) || count.Count == 0 {
		return 0, nil
	}
	if d.form != nil {
		_, err := d.FORM_OnAfterLoadPage(&requests.FORM_OnAfterLoadPage{Page: p, FormHandle: *d.form})
		d.check(err)
		defer func() {
			_, err := d.FORM_OnBeforeClosePage(&requests.FORM_OnBeforeClosePage{Page: p, FormHandle: *d.form})
			d.check(err)
		}()
	}
	written := 0
	for i := range min(count.Count, maxAnnotations) {
		if err := d.ctx.Err(); err != nil {
			return written, err
		}
		got, err := d.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: p, Index: i})
		if !d.check(err) {
			if d.broken {
				return written, nil
			}
			continue
		}
		n, err := d.annotation(got.Annotation, place)
		written += n
		_, closeErr := d.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: got.Annotation})
		d.check(closeErr)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// annotation writes one annotation.
func (d *document) annotation(a references.FPDF_ANNOTATION, place string) (int, error) {
	kind, err := d.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: a})
	if !d.check(err) {
		return 0, nil
	}
	part, text := extract.Part{Kind: extract.Comment, Place: place}, ""
	switch kind.Subtype {
	case enums.FPDF_ANNOT_SUBTYPE_WIDGET:
		part.Kind, text = extract.FormField, d.field(a)
	case enums.FPDF_ANNOT_SUBTYPE_LINK, enums.FPDF_ANNOT_SUBTYPE_POPUP:
		// A popup repeats the annotation it belongs to.
	case enums.FPDF_ANNOT_SUBTYPE_FILEATTACHMENT:
		if err := d.fileOf(a, place); err != nil {
			return 0, err
		}
		text = d.value(a, "Contents")
	case enums.FPDF_ANNOT_SUBTYPE_FREETEXT:
		// What everybody sees on the page; PDFium's page text leaves it out.
		part.Kind, text = extract.TextBox, d.value(a, "Contents")
	default:
		text = d.value(a, "Contents")
		if author := d.value(a, "T"); author != "" && text != "" {
			text = author + ": " + text
		}
	}
	if text = strings.TrimSpace(tidy(text)); text == "" {
		return 0, nil
	}
	d.seen.add(text)
	return len(text), extract.Pieces(d.ctx, part, text+"\n", d.out)
}

func (d *document) value(a references.FPDF_ANNOTATION, key string) string {
	got, err := d.FPDFAnnot_GetStringValue(&requests.FPDFAnnot_GetStringValue{Annotation: a, Key: key})
	if !d.check(err) {
		return ""
	}
	return got.Value
}

// field returns what was filled into a form field, behind the field's name:
// "Personnummer: 19…" means more than the number alone.
func (d *document) field(a references.FPDF_ANNOTATION) string {
	if d.form == nil {
		return d.value(a, "V")
	}
	kind, err := d.FPDFAnnot_GetFormFieldType(&requests.FPDFAnnot_GetFormFieldType{FormHandle: *d.form, Annotation: a})
	if !d.check(err) {
		return ""
	}
	switch kind.FormFieldType {
	case enums.FPDF_FORMFIELD_TYPE_PUSHBUTTON:
		return ""
	case enums.FPDF_FORMFIELD_TYPE_CHECKBOX, enums.FPDF_FORMFIELD_TYPE_RADIOBUTTON:
		checked, err := d.FPDFAnnot_IsChecked(&requests.FPDFAnnot_IsChecked{FormHandle: *d.form, Annotation: a})
		if !d.check(err) || !checked.IsChecked {
			return ""
		}
	}
	got, err := d.FPDFAnnot_GetFormFieldValue(&requests.FPDFAnnot_GetFormFieldValue{FormHandle: *d.form, Annotation: a})
	if !d.check(err) || strings.TrimSpace(got.FormFieldValue) == "" {
		return ""
	}
	return labelled(d.label(a), got.FormFieldValue)
}

// label is what a field is called, in the words shown to people if it has
// any, else the last part of its path: "topmostSubform[0].Page1[0].Namn[0]".
func (d *document) label(a references.FPDF_ANNOTATION) string {
	if shown, err := d.FPDFAnnot_GetFormFieldAlternateName(&requests.FPDFAnnot_GetFormFieldAlternateName{FormHandle: *d.form, Annotation: a}); d.check(err) && strings.TrimSpace(shown.FormFieldAlternateName) != "" {
		return strings.TrimSpace(shown.FormFieldAlternateName)
	}
	name, err := d.FPDFAnnot_GetFormFieldName(&requests.FPDFAnnot_GetFormFieldName{FormHandle: *d.form, Annotation: a})
	if !d.check(err) {
		return ""
	}
	last := name.FormFieldName[strings.LastIndexByte(name.FormFieldName, '.')+1:]
	last, _, _ = strings.Cut(last, "[")
	return strings.TrimSpace(last)
}

func labelled(label, value string) string {
	if label == "" {
		return value
	}
	return label + ": " + value
}

// fileOf hands on the file that an annotation carries.
func (d *document) fileOf(a references.FPDF_ANNOTATION, place string) error {
	got, err := d.FPDFAnnot_GetFileAttachment(&requests.FPDFAnnot_GetFileAttachment{Document: d.ref, Annotation: a})
	if !d.check(err) {
		return d.out.Gap(place, fmt.Errorf("attached file: %w", extract.ErrDamaged))
	}
	return d.attachment(got.Attachment, place)
}

// attachments hands on the files attached to the document.
func (d *document) attachments() error {
	count, err := d.FPDFDoc_GetAttachmentCount(&requests.FPDFDoc_GetAttachmentCount{Document: d.ref})
	if !d.check(err) {
		return nil
	}
	for i := range count.AttachmentCount {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		got, err := d.FPDFDoc_GetAttachment(&requests.FPDFDoc_GetAttachment{Document: d.ref, Index: i})
		if !d.check(err) {
			continue
		}
		if err := d.attachment(got.Attachment, ""); err != nil {
			return err
		}
	}
	return nil
}

// rightsPayload is the attachment that holds the true document of a PDF under
// Microsoft's rights management; what is around it only says so.
const rightsPayload = "MicrosoftIRMServices Protected PDF.pdf"

func (d *document) attachment(a references.FPDF_ATTACHMENT, place string) error {
	name := "attachment"
	if got, err := d.FPDFAttachment_GetName(&requests.FPDFAttachment_GetName{Attachment: a}); d.check(err) && got.Name != "" {
		name = got.Name
	}
	if name == rightsPayload {
		return d.out.Gap(place, fmt.Errorf("rights management: %w", extract.ErrRights))
	}
	got, err := d.FPDFAttachment_GetFile(&requests.FPDFAttachment_GetFile{Attachment: a})
	if !d.check(err) || got.Contents == nil {
		return d.out.Gap(place, fmt.Errorf("attached file: %w", extract.ErrDamaged))
	}
	return d.out.File(extract.File{
		Name: name, Place: place, Role: extract.Attachment, Content: bytes.NewReader(got.Contents),
	})
}
