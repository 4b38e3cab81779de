// A witness for the tar reader: Go's archive/tar, which the container engines use, prints the transcript that
// tests/tar_transcript.h prints. "end" has no code here: 0 or -3.
//
//	go run tests/witness/tar.go FILE...
package main

import (
	"archive/tar"
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

func name(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c > ' ' && c < 0x7f && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "\\%03o", c)
		}
	}
	return b.String()
}

func letter(flag byte) byte {
	switch flag {
	case '0', 0, '7', 'S':
		return 'f'
	case '1':
		return 'h'
	case '2':
		return 'l'
	case '3':
		return 'c'
	case '4':
		return 'b'
	case '5':
		return 'd'
	case '6':
		return 'p'
	}
	return 'o'
}

func list(path string, out *bufio.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			fmt.Fprintf(out, "end 0\n")
			return nil
		}
		if err != nil {
			fmt.Fprintf(out, "end -3\n")
			return fmt.Errorf("%s: %w", path, err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		kind := letter(h.Typeflag)
		n := h.Name
		for kind == 'd' && len(n) > 1 && strings.HasSuffix(n, "/") {
			n = n[:len(n)-1]
		}
		size := h.Size
		if kind != 'f' && kind != 'o' {
			size = 0
		}
		fmt.Fprintf(out, "%c %d %o %d %d %d ", kind, size, h.Mode&07777, uint32(h.Uid), uint32(h.Gid), seconds(h))
		if kind == 'c' || kind == 'b' {
			fmt.Fprintf(out, "%d,%d ", h.Devmajor, h.Devminor)
		}
		fmt.Fprint(out, name(n))
		if kind == 'h' || kind == 'l' {
			fmt.Fprintf(out, " -> %s", name(h.Linkname))
		}
		fmt.Fprintln(out)
		if kind != 'f' {
			continue
		}
		sum := crc32.NewIEEE()
		if _, err := io.Copy(sum, r); err != nil {
			fmt.Fprintf(out, "end -3\n")
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(out, "  %08x\n", sum.Sum32())
	}
}

// Toward zero, as ours: -1.5 is second -1.
func seconds(h *tar.Header) int64 {
	s := h.ModTime.Unix()
	if s < 0 && h.ModTime.Nanosecond() > 0 {
		s++
	}
	return s
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, path := range os.Args[1:] {
		if err := list(path, out); err != nil {
			out.Flush()
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
