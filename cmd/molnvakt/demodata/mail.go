package demodata

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
)

// mail writes the sheet as a message, with one attachment if it has a name.
func mail(s sheet, name string, attached []byte) []byte {
	var b bytes.Buffer
	subject := s.Title
	if subject == "" {
		subject = s.Name
	}
	fmt.Fprintf(&b, "From: %s <kansliet@bjorkfors.example>\r\nTo: <registrator@bjorkfors.example>\r\nSubject: %s\r\nDate: Tue, 10 Mar 2026 09:14:00 +0100\r\nMIME-Version: 1.0\r\n",
		mime.QEncoding.Encode("utf-8", "Björkfors kansli"), mime.QEncoding.Encode("utf-8", subject))
	const boundary = "----=_bjorkfors_0001"
	if name == "" {
		mailText(&b, s)
		return b.Bytes()
	}
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary)
	mailText(&b, s)
	media := "application/pdf"
	if bytes.HasPrefix(attached, []byte("PK")) {
		media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	}
	encodedName := mime.QEncoding.Encode("utf-8", name)
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: %s; name=\"%s\"\r\nContent-Disposition: attachment; filename=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", boundary, media, encodedName, encodedName)
	text := base64.StdEncoding.EncodeToString(attached)
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	fmt.Fprintf(&b, "%s\r\n--%s--\r\n", text, boundary)
	return b.Bytes()
}

func mailText(b *bytes.Buffer, s sheet) {
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(b)
	_, _ = w.Write([]byte(plain(s, "\r\n"))) // into memory: cannot fail
	_ = w.Close()
}
