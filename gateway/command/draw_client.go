package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// drawClient speaks to a gateway's REST interface with the tokens of its posts.
type drawClient struct {
	server string
	tokens map[string]string
	http   *http.Client
}

// newReader makes a client that only reads.
func newReader(server string) *drawClient {
	return &drawClient{server: strings.TrimSuffix(server, "/"), http: &http.Client{Timeout: 10 * time.Minute}}
}

// download copies a file into out.
func (c *drawClient) download(ctx context.Context, path string, out io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answered %d", path, response.StatusCode)
	}
	_, err = io.Copy(out, response.Body)
	return err
}

// newDrawClient reads the tokens and refuses a file that lacks one of the posts.
func newDrawClient(server, tokens string, posts ...string) (*drawClient, error) {
	raw, err := os.ReadFile(tokens)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	c := newReader(server)
	if err := json.Unmarshal(raw, &c.tokens); err != nil {
		return nil, fmt.Errorf("read tokens %s: %w", tokens, err)
	}
	for _, post := range posts {
		if c.tokens[post] == "" {
			return nil, fmt.Errorf("read tokens %s: there is none for %q", tokens, post)
		}
	}
	return c, nil
}

// post sends a write as a post, or as nobody, and wants it committed.
func (c *drawClient) post(ctx context.Context, as, path string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if as != "" {
		request.Header.Set("Authorization", "Bearer "+c.tokens[as])
	}
	_, err = c.do(request, http.StatusCreated)
	return err
}

// put sends a file as a post.
func (c *drawClient) put(ctx context.Context, as, path string, file io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, c.server+path, file)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "text/csv")
	request.Header.Set("Authorization", "Bearer "+c.tokens[as])
	return c.do(request, http.StatusCreated)
}

func (c *drawClient) raw(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, err
	}
	return c.do(request, http.StatusOK)
}

func (c *drawClient) get(ctx context.Context, path string, into any) error {
	raw, err := c.raw(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// do sends a request; another status is an error with what the gateway says.
func (c *drawClient) do(request *http.Request, want int) ([]byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode != want {
		return nil, fmt.Errorf("%s %s answered %d: %s", request.Method, request.URL.Path, response.StatusCode, bytes.TrimSpace(raw[:min(len(raw), 500)]))
	}
	return raw, nil
}
