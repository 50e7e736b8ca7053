using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Engine.Tests.Snapshots;

/// <summary>The Volume Shadow Copy Service as a script: each call is written down, and answered with the next HRESULT recorded for it, or S_OK.</summary>
internal sealed class ScriptedVss : IVssService
{
    private readonly Dictionary<string, Queue<int>> _results = [];
    private int _ids;

    /// <summary>What was asked, in order.</summary>
    public List<string> Log { get; } = [];

    /// <summary>How many objects are held.</summary>
    public int Open { get; private set; }

    public string? Obstacle { get; init; }

    /// <summary>Called with each line of the log.</summary>
    public Action<string>? OnAsked { get; set; }

    /// <summary>What the writers say, of which the last answer stays.</summary>
    public Queue<IReadOnlyList<VssWriter>> Writers { get; } = new([[new VssWriter("System Writer", 5, 0), new VssWriter("Registry Writer", 1, 0)]]);

    /// <summary>Answers of a call, or of a call with its argument, in their order. After the last one it is S_OK.</summary>
    public void Answers(string call, params int[] results) => _results[call] = new Queue<int>(results);

    public string? FindObstacle() => Obstacle;

    public int Begin(out IVssRequester? requester)
    {
        int result = Ask("CreateVssBackupComponents");
        requester = result < 0 ? null : new Requester(this);
        return result;
    }

    private int Ask(string call, string argument = "")
    {
        string line = argument.Length == 0 ? call : $"{call} {argument}";
        Log.Add(line);
        OnAsked?.Invoke(line);
        return _results.TryGetValue(line, out Queue<int>? ofArgument) && ofArgument.TryDequeue(out int result) ? result
            : _results.TryGetValue(call, out Queue<int>? all) && all.TryDequeue(out result) ? result
            : 0;
    }

    private Guid NextId() => new(++_ids, 0, 0, new byte[8]);

    private sealed class Requester : IVssRequester
    {
        private readonly ScriptedVss _vss;

        public Requester(ScriptedVss vss)
        {
            _vss = vss;
            vss.Open++;
        }

        public int InitializeForBackup() => _vss.Ask("InitializeForBackup");

        public int SetContext(int context) => _vss.Ask("SetContext", $"{context}");

        public int SetBackupState(int type) => _vss.Ask("SetBackupState", $"{type}");

        public int Begin(VssStep step, out IVssOperation? operation)
        {
            int result = _vss.Ask(step.ToString());
            operation = result < 0 ? null : new Operation(_vss, step);
            return result;
        }

        public int FreeWriterMetadata() => _vss.Ask("FreeWriterMetadata");

        public int StartSnapshotSet(out Guid set)
        {
            set = _vss.NextId();
            return _vss.Ask("StartSnapshotSet");
        }

        public int IsVolumeSupported(string volume, out bool isSupported)
        {
            int result = _vss.Ask("IsVolumeSupported", volume);
            isSupported = result == 0;
            return Math.Min(result, 0);
        }

        public int AddToSnapshotSet(string volume, out Guid snapshot)
        {
            snapshot = _vss.NextId();
            return _vss.Ask("AddToSnapshotSet", volume);
        }

        public int ReadWriters(out IReadOnlyList<VssWriter> writers)
        {
            writers = _vss.Writers.Count > 1 ? _vss.Writers.Dequeue() : _vss.Writers.Peek();
            return _vss.Ask("GetWriterStatus");
        }

        public int ReadDevice(Guid snapshot, out string device)
        {
            device = $@"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy{snapshot.ToByteArray()[0]}";
            return _vss.Ask("GetSnapshotProperties");
        }

        public int DeleteSnapshots(Guid set) => _vss.Ask("DeleteSnapshots");

        public int AbortBackup() => _vss.Ask("AbortBackup");

        public void Dispose()
        {
            _vss.Open--;
            _vss.Log.Add("Release");
        }
    }

    // What takes time is asked about once before it is done.
    private sealed class Operation : IVssOperation
    {
        private readonly ScriptedVss _vss;
        private readonly VssStep _step;
        private bool _isAsked;

        public Operation(ScriptedVss vss, VssStep step)
        {
            _vss = vss;
            _step = step;
            vss.Open++;
        }

        public int QueryStatus(out int state)
        {
            state = VssResult.Pending;
            if (_isAsked)
            {
                state = _vss._results.TryGetValue($"{_step} state", out Queue<int>? states) && states.TryDequeue(out int next) ? next : VssResult.Finished;
            }

            _isAsked = true;
            return 0;
        }

        public int Cancel() => _vss.Ask("Cancel", _step.ToString());

        public void Dispose() => _vss.Open--;
    }
}
