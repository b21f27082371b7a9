package ole

import "sort"

// formats reads the pages of formatting that a table of the table stream lists
// ([MS-DOC] 2.8.5 and 2.8.6), each with read.
func (w *wordReader) formats(plc []byte, read func(page []byte) []wordRun) []wordRun {
	if len(plc) < 4 {
		return nil
	}
	var runs []wordRun
	count := (len(plc) - 4) / 8
	for i := range count {
		at := int64(le.Uint32(plc[4*(count+1)+4*i:])&0x3FFFFF) * 512
		if at+512 > int64(len(w.main)) {
			continue
		}
		runs = append(runs, read(w.main[at:at+512])...)
	}
	sort.Slice(runs, func(i, j int) bool { return runs[i].from < runs[j].from })
	return runs
}

// characterRuns reads a page of character formatting ([MS-DOC] 2.9.33), and
// keeps the runs that are deleted or hidden.
func characterRuns(page []byte) []wordRun {
	var runs []wordRun
	count := int(page[511])
	for i := range count {
		at := 4*(count+1) + i
		if at >= 511 {
			break
		}
		offset := int(page[at]) * 2
		if offset == 0 || offset >= 511 {
			continue
		}
		end := min(offset+1+int(page[offset]), 511)
		run := wordRun{from: le.Uint32(page[4*i:]), to: le.Uint32(page[4*i+4:])}
		eachProperty(page[offset+1:end], func(code uint16, operand []byte) {
			switch code {
			case 0x0800:
				run.deleted = operand[0] == 1
			case 0x083C:
				run.vanished = operand[0] == 1
			}
		})
		if (run.deleted || run.vanished) && run.from < run.to {
			runs = append(runs, run)
		}
	}
	return runs
}

// paragraphRuns reads a page of paragraph formatting ([MS-DOC] 2.9.174), and
// keeps the paragraphs in tables and the headings.
func paragraphRuns(page []byte) []wordRun {
	var runs []wordRun
	count := int(page[511])
	for i := range count {
		at := 4*(count+1) + 13*i
		if at >= 511 {
			break
		}
		offset := int(page[at]) * 2
		if offset == 0 || offset >= 510 {
			continue
		}
		size := 2*int(page[offset]) - 1
		offset++
		if size < 0 {
			size = 2 * int(page[offset])
			offset++
		}
		end := min(offset+size, 511)
		if end-offset < 2 {
			continue
		}
		style := le.Uint16(page[offset:])
		run := wordRun{from: le.Uint32(page[4*i:]), to: le.Uint32(page[4*i+4:]), heading: style >= 1 && style <= 9}
		eachProperty(page[offset+2:end], func(code uint16, operand []byte) {
			switch code {
			case 0x2416:
				run.inTable = operand[0] != 0
			case 0x2417:
				run.rowEnd = operand[0] != 0
			}
		})
		if (run.inTable || run.rowEnd || run.heading) && run.from < run.to {
			runs = append(runs, run)
		}
	}
	return runs
}

// eachProperty calls visit for every property of a list ([MS-DOC] 2.2.5). The
// operand is never empty.
func eachProperty(b []byte, visit func(code uint16, operand []byte)) {
	for len(b) >= 3 {
		code := le.Uint16(b)
		b = b[2:]
		size := [8]int{1, 1, 2, 4, 2, 2, 0, 3}[code>>13]
		if code>>13 == 6 {
			size = 1 + int(b[0])
			if code == 0xD608 && len(b) >= 2 {
				size = 1 + int(le.Uint16(b))
			}
		}
		if size > len(b) {
			return
		}
		visit(code, b[:size])
		b = b[size:]
	}
}
