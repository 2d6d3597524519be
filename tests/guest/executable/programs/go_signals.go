// What a Go program does by signals: a nil pointer becomes a panic, a goroutine that computes is interrupted, the
// program's own handler is told.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

type large struct{ numbers [4096]int }

func spin() {
	for i := 0; ; i++ {
		if i < 0 {
			return
		}
	}
}

func main() {
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var none *large
		fmt.Println(none.numbers[1])
	}()
	runtime.GOMAXPROCS(1)
	go spin()
	for i := 0; i < 20; i++ {
		runtime.Gosched()
	}
	runtime.GC()
	fmt.Println("collected beside a loop")
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
	fmt.Println("told of", <-told)
	os.Exit(4)
}
