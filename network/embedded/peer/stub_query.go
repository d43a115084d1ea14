package peer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
)

const (
	// totalQueryLimit ends a query without a word, as a peer's default does.
	totalQueryLimit = 100_000
	// queryBatch is how many results a peer reads ahead; they count as read
	// even if the chaincode stops earlier.
	queryBatch = 100
	// compositePrefix keeps composite keys apart from simple ones.
	compositePrefix = "\x00"
	// firstSimpleKey stands for an empty start key, to skip composite keys.
	firstSimpleKey = "\x01"
)

var errRichQuery = errors.New("ExecuteQuery not supported for leveldb")

func checkSimpleKeys(keys ...string) error {
	for _, key := range keys {
		if strings.HasPrefix(key, compositePrefix) {
			return fmt.Errorf(`first character of the key [%s] contains a null character which is not allowed`, key)
		}
	}
	return nil
}

// simpleRange checks the bounds of a range over simple keys.
func simpleRange(startKey, endKey string) (string, error) {
	if startKey == "" {
		startKey = firstSimpleKey
	}
	return startKey, checkSimpleKeys(startKey, endKey)
}

func (s *stub) GetStateByRange(startKey, endKey string) (shim.StateQueryIteratorInterface, error) {
	startKey, err := simpleRange(startKey, endKey)
	if err != nil {
		return nil, err
	}
	return s.stateRange(startKey, endKey)
}

func (s *stub) stateRange(startKey, endKey string) (shim.StateQueryIteratorInterface, error) {
	source, err := s.simulator.Range(s.namespace, startKey, endKey, 0, false)
	return s.results(source, err)
}

// results wraps a query that is not paginated.
func (s *stub) results(source *ledger.Iterator, err error) (shim.StateQueryIteratorInterface, error) {
	if err == nil {
		iterator := &stateIterator{namespace: s.namespace, source: source, limit: totalQueryLimit}
		if err = iterator.fetch(); err == nil {
			return iterator, nil
		}
	}
	return nil, s.failed(pb.ChaincodeMessage_GET_STATE_BY_RANGE, err)
}

func (s *stub) GetStateByRangeWithPagination(startKey, endKey string, pageSize int32, bookmark string) (shim.StateQueryIteratorInterface, *pb.QueryResponseMetadata, error) {
	startKey, err := simpleRange(startKey, endKey)
	if err != nil {
		return nil, nil, err
	}
	return s.page(startKey, endKey, pageSize, bookmark)
}

// page runs one page of a query. Page size and bookmark both unset make it an
// ordinary query, as in Fabric.
func (s *stub) page(startKey, endKey string, pageSize int32, bookmark string) (shim.StateQueryIteratorInterface, *pb.QueryResponseMetadata, error) {
	if pageSize == 0 && bookmark == "" {
		iterator, err := s.stateRange(startKey, endKey)
		return iterator, &pb.QueryResponseMetadata{}, err
	}
	if bookmark != "" {
		startKey = bookmark
	}
	limit := totalQueryLimit
	if pageSize > 0 && int(pageSize) < limit {
		limit = int(pageSize)
	}
	source, err := s.simulator.Range(s.namespace, startKey, endKey, max(int(pageSize), 0), true)
	if err != nil {
		return nil, nil, s.failed(pb.ChaincodeMessage_GET_STATE_BY_RANGE, err)
	}
	iterator := &stateIterator{namespace: s.namespace, source: source, limit: limit, paginated: true}
	if err := iterator.fetch(); err != nil {
		return nil, nil, s.failed(pb.ChaincodeMessage_GET_STATE_BY_RANGE, err)
	}
	next, err := source.Bookmark()
	if err != nil {
		return nil, nil, s.failed(pb.ChaincodeMessage_GET_STATE_BY_RANGE, err)
	}
	return iterator, &pb.QueryResponseMetadata{FetchedRecordsCount: int32(iterator.total), Bookmark: next}, nil
}

func (s *stub) compositeRange(objectType string, keys []string) (string, string, error) {
	start, err := shim.CreateCompositeKey(objectType, keys)
	return start, start + string(utf8.MaxRune), err
}

func (s *stub) GetStateByPartialCompositeKey(objectType string, keys []string) (shim.StateQueryIteratorInterface, error) {
	startKey, endKey, err := s.compositeRange(objectType, keys)
	if err != nil {
		return nil, err
	}
	return s.stateRange(startKey, endKey)
}

func (s *stub) GetStateByPartialCompositeKeyWithPagination(objectType string, keys []string, pageSize int32, bookmark string) (shim.StateQueryIteratorInterface, *pb.QueryResponseMetadata, error) {
	startKey, endKey, err := s.compositeRange(objectType, keys)
	if err != nil {
		return nil, nil, err
	}
	return s.page(startKey, endKey, pageSize, bookmark)
}

func (s *stub) GetAllStatesCompositeKeyWithPagination(pageSize int32, bookmark string) (shim.StateQueryIteratorInterface, *pb.QueryResponseMetadata, error) {
	return s.page(compositePrefix, compositePrefix+string(utf8.MaxRune), pageSize, bookmark)
}

func (s *stub) CreateCompositeKey(objectType string, attributes []string) (string, error) {
	return shim.CreateCompositeKey(objectType, attributes)
}

func (s *stub) SplitCompositeKey(compositeKey string) (string, []string, error) {
	parts := strings.Split(compositeKey, compositePrefix)
	// A composite key is NUL, object type, NUL, and each attribute with a NUL.
	if len(parts) < 3 || parts[0] != "" || parts[len(parts)-1] != "" {
		return "", nil, fmt.Errorf("%q is not a composite key", compositeKey)
	}
	return parts[1], parts[2 : len(parts)-1], nil
}

func (s *stub) GetPrivateDataByRange(collection, startKey, endKey string) (shim.StateQueryIteratorInterface, error) {
	startKey, err := simpleRange(startKey, endKey)
	if err != nil {
		return nil, err
	}
	return s.privateRange(collection, startKey, endKey)
}

func (s *stub) privateRange(collection, startKey, endKey string) (shim.StateQueryIteratorInterface, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	if err := s.mayRead(collection); err != nil {
		return nil, s.failed(pb.ChaincodeMessage_GET_STATE_BY_RANGE, err)
	}
	source, err := s.simulator.PrivateRange(s.namespace, collection, startKey, endKey)
	return s.results(source, err)
}

func (s *stub) GetPrivateDataByPartialCompositeKey(collection, objectType string, keys []string) (shim.StateQueryIteratorInterface, error) {
	startKey, endKey, err := s.compositeRange(objectType, keys)
	if err != nil {
		return nil, err
	}
	return s.privateRange(collection, startKey, endKey)
}

func (s *stub) GetQueryResult(string) (shim.StateQueryIteratorInterface, error) {
	return nil, s.failed(pb.ChaincodeMessage_GET_QUERY_RESULT, errRichQuery)
}

func (s *stub) GetQueryResultWithPagination(string, int32, string) (shim.StateQueryIteratorInterface, *pb.QueryResponseMetadata, error) {
	return nil, nil, s.failed(pb.ChaincodeMessage_GET_QUERY_RESULT, errors.New("ExecuteQueryWithMetadata not supported for leveldb"))
}

func (s *stub) GetPrivateDataQueryResult(collection, _ string) (shim.StateQueryIteratorInterface, error) {
	if collection == "" {
		return nil, errNoCollection
	}
	return nil, s.failed(pb.ChaincodeMessage_GET_QUERY_RESULT, errRichQuery)
}

func (s *stub) GetHistoryForKey(key string) (shim.HistoryQueryIteratorInterface, error) {
	iterator, err := s.simulator.History(s.namespace, key, totalQueryLimit)
	if err != nil {
		return nil, s.failed(pb.ChaincodeMessage_GET_HISTORY_FOR_KEY, err)
	}
	return iterator, nil
}

var errIteratorEnd = errors.New("no such key")

// stateIterator hands out results in the batches a peer reads them in.
type stateIterator struct {
	namespace string
	source    *ledger.Iterator
	ready     []*queryresult.KV
	ahead     *queryresult.KV // read from the source, belongs to the next batch
	more      bool
	total     int
	limit     int
	paginated bool
}

// fetch reads the next batch.
func (i *stateIterator) fetch() error {
	i.more = false
	if i.ahead != nil {
		i.ready, i.ahead = append(i.ready, i.ahead), nil
	}
	for i.total < i.limit {
		key, value, ok, err := i.source.Next()
		if err != nil || !ok {
			return err
		}
		i.total++
		result := &queryresult.KV{Namespace: i.namespace, Key: key, Value: value}
		if !i.paginated && len(i.ready) == queryBatch {
			i.ahead, i.more = result, true
			return nil
		}
		i.ready = append(i.ready, result)
	}
	return nil
}

func (i *stateIterator) HasNext() bool { return len(i.ready) > 0 || i.more }

func (i *stateIterator) Next() (*queryresult.KV, error) {
	if len(i.ready) == 0 {
		return nil, errIteratorEnd
	}
	result := i.ready[0]
	i.ready = i.ready[1:]
	if len(i.ready) == 0 && i.more {
		if err := i.fetch(); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (i *stateIterator) Close() error { return nil }
