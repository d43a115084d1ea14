package api

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// DrawFiles keeps the files beside large draws, addressed by their roots. One
// that is not at hand is a metrology.CodeNotFound error.
type DrawFiles interface {
	// Keep checks a directory file and keeps it. want is the root it must have;
	// empty for any.
	Keep(in io.Reader, want string) (metrology.DrawObjectsFile, error)
	// TakeDrawn checks a list of drawn objects against its root and keeps it.
	TakeDrawn(in io.Reader, root string) error
	Open(root string) (io.ReadSeekCloser, error)
	Summary(root string) (metrology.DrawObjectsFile, error)
}

// transferTime is how long a file may take in either direction.
const transferTime = 30 * time.Minute

// directoryRoute is where the objects of a draw are put and read.
const directoryRoute = "/v1/draws/:id/directories/objects"

// drawFileRoute serves every file of large draws by its root.
const drawFileRoute = "/v1/draw-files/:root"

// listsRoute is where the lists of a posting are put.
const listsRoute = "/v1/draws/:id/posting/lists"

// takesDrawFile says whether a request brings a file of a large draw.
func takesDrawFile(c echo.Context) bool {
	return c.Request().Method == http.MethodPut && (c.Path() == directoryRoute || c.Path() == listsRoute)
}

func (s *Server) mountDrawFiles(e *echo.Echo) {
	e.PUT(directoryRoute, s.takeDirectory)
	e.GET(directoryRoute, s.serveObjects)
	e.PUT(listsRoute, s.takeLists)
	e.GET(drawFileRoute, s.serveDrawFile)
}

// takeDirectory takes the file that the objects of a draw stand in, and tells
// what its freeze has to state. Once the draw is frozen it must be the file
// that was frozen.
func (s *Server) takeDirectory(c echo.Context) error {
	who, err := principal(c.Request().Context())
	if err != nil {
		return err
	}
	if who.Role != string(metrology.RoleRegulator) {
		return metrology.Errorf(metrology.CodeForbidden, "the regulator files the directories of a draw")
	}
	record, err := s.register.Draw(c.Request().Context(), pathParameter(c)("id"))
	if err != nil {
		return err
	}
	want := ""
	if record.Frozen != nil {
		want = record.Frozen.ObjectsRoot
	}
	if err := extendRead(c); err != nil {
		return err
	}
	file, err := s.files.Keep(c.Request().Body, want)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/draw-files/"+file.Root)
	return c.JSON(http.StatusCreated, file)
}

// takeLists takes the lists of the posting that stands, from anybody who has a
// token: without them nobody could check it.
func (s *Server) takeLists(c echo.Context) error {
	if _, err := principal(c.Request().Context()); err != nil {
		return err
	}
	record, err := s.register.Draw(c.Request().Context(), pathParameter(c)("id"))
	if err != nil {
		return err
	}
	root, err := record.ListsRoot()
	if err != nil {
		return err
	}
	if err := extendRead(c); err != nil {
		return err
	}
	if err := s.files.TakeDrawn(c.Request().Body, root); err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/draw-files/"+root)
	return c.NoContent(http.StatusCreated)
}

func extendRead(c echo.Context) error {
	err := http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(transferTime))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// serveDrawFile sends a file as it stands; its root is its tag.
func (s *Server) serveDrawFile(c echo.Context) error {
	root := pathParameter(c)("root")
	file, err := s.files.Open(root)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := extendWrite(c); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	h.Set("ETag", `"`+root+`"`)
	h.Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	http.ServeContent(c.Response(), c.Request(), root+".csv", time.Time{}, file)
	return nil
}

func extendWrite(c echo.Context) error {
	err := http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(transferTime))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// serveObjects sends the directory of places; a large one goes out as it is
// read.
func (s *Server) serveObjects(c echo.Context) error {
	if err := checkQuery(c); err != nil {
		return err
	}
	lists, err := s.register.DrawDirectories(c.Request().Context(), pathParameter(c)("id"))
	if err != nil {
		return err
	}
	if !lists.Record.ByFile {
		return answerTagged(c, lists.ShowObjects())
	}
	if lists.Files == nil {
		return metrology.Errorf(metrology.CodeNotFound, "this gateway keeps no files of large draws")
	}
	if _, err := lists.Files.Summary(lists.Record.Frozen.ObjectsRoot); err != nil {
		return err
	}
	if err := extendWrite(c); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	c.Response().WriteHeader(http.StatusOK)
	return streamObjects(c.Response(), lists)
}

// streamObjects writes a public.DrawObjects without holding its objects.
func streamObjects(out io.Writer, lists public.DrawDirectories) error {
	buffered := bufio.NewWriterSize(out, 64<<10)
	shown := lists.ShowObjects()
	frame, err := json.Marshal(struct {
		Draw       string                    `json:"draw"`
		Frozen     bool                      `json:"frozen"`
		Exclusions []metrology.DrawExclusion `json:"exclusions"`
	}{shown.Draw, shown.Frozen, shown.Exclusions})
	if err != nil {
		return err
	}
	_, err = buffered.Write(append(frame[:len(frame)-1], `,"objects":[`...))
	if err != nil {
		return err
	}
	var row []byte
	separator := ""
	err = lists.EachObject(func(o metrology.DrawObject) error {
		encoded, err := json.Marshal(o)
		if err != nil {
			return err
		}
		row = append(append(row[:0], separator...), encoded...)
		separator = ","
		_, err = buffered.Write(row)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := buffered.WriteString("]}\n"); err != nil {
		return err
	}
	return buffered.Flush()
}

// checkFreezeApproval keeps an organisation from agreeing through this gateway
// to sums that the file of a large draw does not have, or that it cannot see.
func (s *Server) checkFreezeApproval(c echo.Context, members map[string]jsontext.Value) error {
	lists, err := s.register.DrawDirectories(c.Request().Context(), unquoted(members["id"]))
	if err != nil || !lists.Record.ByFile {
		return err
	}
	if err := lists.CheckSums(); err != nil {
		return metrology.Errorf(metrology.CodeState, "the file of this draw does not bear the freeze out here: %v", err)
	}
	return nil
}
