using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>All records of an index at one time, in a few runs, and a number for each. They stay as they are, whatever is added later.</summary>
internal sealed class IndexRecords
{
    private readonly IndexRun[] _runs;
    private readonly int[] _firsts;

    /// <param name="runs">Their runs, the largest first.</param>
    public IndexRecords(params IndexRun[] runs)
    {
        _runs = runs;
        _firsts = new int[runs.Length];
        foreach (int i in Enumerable.Range(0, runs.Length))
        {
            _firsts[i] = Count;
            Count = checked(Count + runs[i].Count);
        }
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>The number of the first record of a chunk; -1 where there is none.</summary>
    public int Find(ChunkId id)
    {
        for (int i = 0; i < _runs.Length; i++)
        {
            int at = _runs[i].LowerBound(id);
            if (at < _runs[i].Count && _runs[i].Get(at, out _).Id == id)
            {
                return _firsts[i] + at;
            }
        }

        return -1;
    }

    /// <summary>All of them, in the order of ids; of one id in the order of runs.</summary>
    public Pass InOrder() => new(this);

    /// <summary>One pass.</summary>
    internal sealed class Pass
    {
        private readonly IndexRecords _records;
        private readonly RunCursor[] _cursors;

        // Of those that are not at their end.
        private readonly List<(ChunkId Id, int Run)> _next = [];
        private int _current = -1;

        public Pass(IndexRecords records)
        {
            _records = records;
            _cursors = [.. records._runs.Select(run => new RunCursor(run))];
            if (_cursors.Length == 1)
            {
                _current = 0;
                return;
            }

            for (int i = 0; i < _cursors.Length; i++)
            {
                Advance(i);
            }
        }

        /// <summary>The record.</summary>
        public ReadOnlySpan<byte> Record => _cursors[_current].Record;

        /// <summary>Its chunk.</summary>
        public ChunkId Id => _cursors[_current].Id;

        /// <summary>Its number.</summary>
        public int Number => _records._firsts[_current] + _cursors[_current].Index;

        /// <summary>Goes to the next; false where there is none.</summary>
        public bool MoveNext()
        {
            if (_cursors.Length == 1)
            {
                return _cursors[0].MoveNext();
            }

            if (_current >= 0)
            {
                Advance(_current);
            }

            if (_next.Count == 0)
            {
                return false;
            }

            int least = 0;
            for (int i = 1; i < _next.Count; i++)
            {
                int order = _next[i].Id.CompareTo(_next[least].Id);
                least = order < 0 || (order == 0 && _next[i].Run < _next[least].Run) ? i : least;
            }

            _current = _next[least].Run;
            _next.RemoveAt(least);
            return true;
        }

        private void Advance(int run)
        {
            if (_cursors[run].MoveNext())
            {
                _next.Add((_cursors[run].Id, run));
            }
        }
    }
}
