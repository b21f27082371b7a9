package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/cmd/molnvakt/demodata"
)

// TestBenchScan measures `molnvakt scan` on a generated folder: files and
// bytes a second, peak memory of parent and children, a rescan of what did not
// change, and where the time went. It asserts no times, only that the rescan
// reads nothing.
func TestBenchScan(t *testing.T) {
	if os.Getenv("MOLNVAKT_BENCH") == "" {
		t.Skip("SKIPPED: a measurement, not a test: make bench")
	}
	n := 4000
	if s := os.Getenv("MOLNVAKT_BENCH_DOCUMENTS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		check(t, err)
	}
	program, data, dir := molnvakt(t), t.TempDir(), t.TempDir()
	all, err := demodata.Generate(1, n)
	check(t, err)
	var size int64
	for _, d := range all {
		file := filepath.Join(dir, d.Place.Site, d.Place.Drive, filepath.FromSlash(d.Path))
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(t, os.WriteFile(file, d.Content, 0o644))
		size += int64(len(d.Content))
	}
	scan := func(what string) {
		var stderr bytes.Buffer
		cmd := exec.Command(program, "scan", dir, "--data", data, "--count-test-numbers", "--log-format", "json", "--log-level", "info", "--ocr", "off")
		cmd.Stderr = &stderr
		began := time.Now()
		check(t, cmd.Start())
		peak := watchMemory(cmd.Process.Pid)
		_ = cmd.Wait() // exit code 1: misplaced documents
		took, memory := time.Since(began), <-peak
		user, system := cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
		stages, read := lastScan(stderr.Bytes())
		fmt.Printf("%s: %d documents, %.1f MB in %.2f s: %.0f documents/s, %.1f MB/s; read %d\n",
			what, n, float64(size)/1e6, took.Seconds(), float64(n)/took.Seconds(), float64(size)/1e6/took.Seconds(), read)
		fmt.Printf("  CPU %.2f s user, %.2f s system, parent and children: %.2f ms a document; %s\n",
			user.Seconds(), system.Seconds(), float64((user+system).Microseconds())/1000/float64(n), stages)
		fmt.Printf("  peak memory in all %d MB; %d MB if shared pages count once for each process\n", memory.proportional>>20, memory.resident>>20)
		if what == "rescan" && read != 0 {
			t.Errorf("the rescan read %d documents, want 0", read)
		}
	}
	fmt.Printf("%d cores, %s\n", runtime.NumCPU(), runtime.Version())
	scan("scan")
	scan("rescan")
}

// lastScan reads the log's last line about a scan.
func lastScan(log []byte) (stages string, read int64) {
	for line := range bytes.Lines(log) {
		var entry struct {
			Msg    string
			Read   int64
			Stages map[string]int64
		}
		if json.Unmarshal(line, &entry) != nil || entry.Msg != "scan ended" {
			continue
		}
		read = entry.Read
		var sum int64
		for _, d := range entry.Stages {
			sum += d
		}
		var parts []string
		for _, name := range []string{"Open", "Receive", "Extract", "Detect", "Record"} {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", strings.ToLower(name), 100*float64(entry.Stages[name])/max(1, float64(sum))))
		}
		stages = "stages: " + strings.Join(parts, ", ")
	}
	return stages, read
}

// memory is what a process and those it started hold, in bytes.
type memory struct {
	proportional int64 // shared pages divided among those who share them (PSS)
	resident     int64 // shared pages counted in full for each (RSS)
}

// watchMemory returns the peaks when the process has ended.
func watchMemory(pid int) <-chan memory {
	result := make(chan memory, 1)
	go func() {
		var peak memory
		for {
			now := held(pid)
			if now.resident == 0 {
				result <- peak
				return
			}
			peak.proportional = max(peak.proportional, now.proportional)
			peak.resident = max(peak.resident, now.resident)
			time.Sleep(50 * time.Millisecond)
		}
	}()
	return result
}

// held adds up a process and those it started.
func held(pid int) (sum memory) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return sum
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[2] != "kB" {
			continue
		}
		kB, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "Pss:":
			sum.proportional = kB << 10
		case "Rss:":
			sum.resident = kB << 10
		}
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, thread := range threads {
		children, _ := os.ReadFile(thread)
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				inner := held(n)
				sum.proportional += inner.proportional
				sum.resident += inner.resident
			}
		}
	}
	return sum
}
