package main

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the width of the light margin around a QR code, in modules, that scanners need (ISO/IEC 18004, 6.3.8).
const quiet = 4

// terminalQR draws a QR code with two modules to a character, one above the other, which makes them about square. The light
// ones are drawn and the dark ones left out, as most terminals are dark; on a light one it comes out reversed, which most
// apps read, too.
func terminalQR(text string, level qr.ErrorCorrectionLevel) (string, error) {
	modules, err := qrModules(text, level)
	if err != nil {
		return "", err
	}
	dark := func(x, y int) bool {
		x, y = x-quiet, y-quiet
		return y >= 0 && y < len(modules) && x >= 0 && x < len(modules) && modules[y][x]
	}
	// Sides are odd numbers, so that the last line's lower half lies outside: it is light, a line more of margin.
	side := len(modules) + 2*quiet
	var b strings.Builder
	for y := 0; y < side; y += 2 {
		for x := range side {
			switch top, bottom := dark(x, y), dark(x, y+1); {
			case top && bottom:
				b.WriteByte(' ')
			case top:
				b.WriteRune('▄')
			case bottom:
				b.WriteRune('▀')
			default:
				b.WriteRune('█')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// qrModules returns the modules of a QR code by row and column; true is dark.
func qrModules(text string, level qr.ErrorCorrectionLevel) ([][]bool, error) {
	code, err := qr.Encode(text, level, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	size := code.Bounds()
	modules := make([][]bool, size.Dy())
	for y := range modules {
		modules[y] = make([]bool, size.Dx())
		for x := range modules[y] {
			modules[y][x] = color.GrayModel.Convert(code.At(size.Min.X+x, size.Min.Y+y)).(color.Gray).Y < 0x80
		}
	}
	return modules, nil
}
