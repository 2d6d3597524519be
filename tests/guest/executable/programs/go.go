// Goroutines, maps, sorting, sleeping, files, panics and a proxy of a Go program.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sort"
	"sync"
	"time"
)

// serve answers one connection to a new address, which it returns.
func serve(answer func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		defer listener.Close()
		if connection, err := listener.Accept(); err == nil {
			answer(connection)
			connection.Close()
		}
	}()
	return listener.Addr().String()
}

// proxied says what comes through a proxy, which copies between two connections (io.Copy calls splice).
func proxied() string {
	server := serve(func(connection net.Conn) { io.WriteString(connection, "from behind the proxy") })
	proxy := serve(func(connection net.Conn) {
		if behind, err := net.Dial("tcp", server); err == nil {
			io.Copy(connection, behind)
		}
	})
	connection, err := net.Dial("tcp", proxy)
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(connection)
	return fmt.Sprint(string(text), " ", err)
}

func main() {
	fmt.Println("arguments", os.Args[1:], "variable", os.Getenv("COLOUR"))
	var group sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for i := 0; i < 200; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			numbers := make([]int, 1000)
			for j := range numbers {
				numbers[j] = (j * 7919) % 1000
			}
			sort.Ints(numbers)
			lock.Lock()
			sum += numbers[i]
			lock.Unlock()
		}(i)
	}
	group.Wait()
	words := map[string]int{}
	for i := 0; i < 50000; i++ {
		words[fmt.Sprint(i)] = i
	}
	runtime.GC()
	fmt.Println("sum", sum, "words", len(words))
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var none []int
		fmt.Println(none[len(os.Args)])
	}()
	name := "/tmp/of-go"
	fmt.Println(os.WriteFile(name, []byte("text"), 0o644))
	text, err := os.ReadFile(name)
	fmt.Println(string(text), err, os.Remove(name))
	before := time.Now()
	time.Sleep(20 * time.Millisecond)
	fmt.Println("slept", time.Since(before) >= 20*time.Millisecond)
	results := make(chan int)
	go func() {
		for i := 0; i < 1000; i++ {
			results <- i
		}
		close(results)
	}()
	total := 0
	for value := range results {
		total += value
	}
	fmt.Println("total", total)
	fmt.Println("proxied", proxied())
	os.Exit(3)
}
