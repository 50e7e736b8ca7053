using System.Text.RegularExpressions;
using MSOnlineBackup.Platform.Windows;

namespace MSOnlineBackup.Engine.Tests.Mounts.Projection;

/// <summary>
/// What the Projected File System does, as its documentation tells it, over folders of this system: whoever opens an item has a placeholder on the disk, whoever reads it
/// its content.
/// </summary>
internal sealed class RecordedProjection : IProjectionService
{
    /// <summary>Folders that were marked, and with what.</summary>
    public Dictionary<string, Guid> Marks { get; } = [];

    /// <summary>What is on the disk of a provider; what is not here somebody else has made.</summary>
    public Dictionary<string, ProjectedState> States { get; } = [];

    /// <summary>What is open.</summary>
    public HashSet<string> Open { get; } = [];

    /// <summary>What was written of contents: from where, and how much.</summary>
    public List<(long Offset, int Length)> Writes { get; } = [];

    /// <summary>The folders that are shown.</summary>
    public Dictionary<string, IProjectionProvider> Shown { get; } = [];

    public string? Obstacle { get; init; }

    public int Alignment { get; init; } = 512;

    /// <summary>What starting ends with.</summary>
    public int Refusal { get; set; }

    /// <summary>Whether a folder that was shown cannot be had back.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether the folder that was made last is for all.</summary>
    public bool? IsForAll { get; private set; }

    public string? FindObstacle() => Obstacle;

    public int Compare(string name, string other) => string.CompareOrdinal(name.ToUpperInvariant(), other.ToUpperInvariant());

    public bool IsMatch(string name, string pattern) =>
        Regex.IsMatch(name, "^" + Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal) + "$", RegexOptions.IgnoreCase);

    public bool IsPattern(string text) => text.AsSpan().ContainsAny('*', '?');

    public int Mark(string root, Guid instance) => Marks.TryAdd(root, instance) ? ProjectionResult.Ok : ProjectionResult.IsMarked;

    public int Start(string root, IProjectionProvider provider, out IProjection? projection)
    {
        int result = Refusal != 0 ? Refusal : Marks.ContainsKey(root) ? ProjectionResult.Ok : ProjectionResult.NotMarked;
        projection = result < 0 ? null : new Instance(this, root);
        if (projection is not null)
        {
            Shown.Add(root, provider);
        }

        return result;
    }

    public int StateOf(string path, out ProjectedState state)
    {
        state = States.GetValueOrDefault(path, ProjectedState.Full);
        return Path.Exists(path) ? ProjectionResult.Ok : ProjectionResult.NotFound;
    }

    public void MakeFolder(string path, bool isForAll)
    {
        IsForAll = isForAll;
        Directory.CreateDirectory(path);
    }

    public void Renew(string root)
    {
        if (IsHeld)
        {
            throw new IOException("The process cannot access the folder.");
        }

        Directory.Delete(root);
        Directory.CreateDirectory(root);
        Marks.Remove(root);
    }

    /// <summary>The process ends, and nobody answers any more.</summary>
    public void Kill(string root) => Shown.Remove(root);

    /// <summary>Somebody opens an item: each folder on the way, and it, is on the disk then.</summary>
    public int OpenItem(string root, string path)
    {
        string at = "";
        foreach (string name in path.Split('\\'))
        {
            at = at.Length == 0 ? name : $@"{at}\{name}";
            int result = Path.Exists(FullOf(root, at)) ? ProjectionResult.Ok : Shown[root].GetInfo(at, new Instance(this, root));
            if (result < 0)
            {
                return result;
            }
        }

        return ProjectionResult.Ok;
    }

    /// <summary>Somebody reads a part of a file; all of it is had.</summary>
    public int Read(string root, string path, long offset, long length, out byte[] content)
    {
        content = [];
        int result = OpenItem(root, path);
        result = result < 0 ? result : Shown[root].GetData(path, Guid.Empty, offset, length, new Instance(this, root) { Reading = FullOf(root, path) });
        if (result >= 0)
        {
            content = File.ReadAllBytes(FullOf(root, path));
            States[FullOf(root, path)] |= ProjectedState.Hydrated;
        }

        return result;
    }

    /// <summary>Somebody lists a folder, with a buffer for so many items.</summary>
    public List<string> List(string root, string path, string? search = null, int room = 3)
    {
        Guid session = new(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]);
        if (Shown[root].StartListing(path, session) < 0)
        {
            throw new DirectoryNotFoundException(path);
        }

        var names = new List<string>();
        for (RecordedEntries buffer = new(room); Shown[root].List(session, search, false, buffer) >= 0 && buffer.Names.Count > 0; buffer = new(room))
        {
            names.AddRange(buffer.Names);
        }

        Shown[root].EndListing(session);
        return names;
    }

    public static string FullOf(string root, string path) => Path.Combine(root, path.Replace('\\', Path.DirectorySeparatorChar));

    private sealed class Instance(RecordedProjection all, string root) : IProjection
    {
        /// <summary>The file that is being read.</summary>
        public string? Reading { get; init; }

        Guid IProjection.Instance => all.Marks[root];

        public int Alignment => all.Alignment;

        public int WriteInfo(string path, in ProjectedInfo info)
        {
            string full = FullOf(root, path);
            all.States[full] = ProjectedState.Placeholder;
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            if (info.IsFolder)
            {
                Directory.CreateDirectory(full);
            }
            else
            {
                using FileStream file = File.Create(full);
                file.SetLength(info.Size);
                file.Close();
                File.SetLastWriteTimeUtc(full, DateTime.FromFileTimeUtc(info.Written));
            }

            return ProjectionResult.Ok;
        }

        public int WriteData(Guid stream, ReadOnlySpan<byte> content, long offset)
        {
            all.Writes.Add((offset, content.Length));
            using FileStream file = File.OpenWrite(Reading!);
            bool isAligned = offset % Alignment == 0 && (content.Length % Alignment == 0 || offset + content.Length == file.Length);
            if (!isAligned)
            {
                return ProjectionResult.InvalidParameter;
            }

            file.Position = offset;
            file.Write(content);
            return ProjectionResult.Ok;
        }

        public int Delete(string path)
        {
            string full = FullOf(root, path);
            if (all.Open.Contains(full))
            {
                return ProjectionResult.SharingViolation;
            }

            if (all.States[full].HasFlag(ProjectedState.Full))
            {
                return ProjectionResult.InvalidOperation;
            }

            if (Directory.Exists(full))
            {
                Directory.Delete(full);
            }
            else
            {
                File.Delete(full);
            }

            all.States.Remove(full);
            return ProjectionResult.Ok;
        }

        public void Dispose() => all.Shown.Remove(root);
    }
}

/// <summary>A buffer for so many items.</summary>
internal sealed class RecordedEntries(int room) : IProjectedEntries
{
    public List<string> Names { get; } = [];

    public List<ProjectedInfo> Infos { get; } = [];

    public int Add(string name, in ProjectedInfo info)
    {
        if (Names.Count == room)
        {
            return ProjectionResult.InsufficientBuffer;
        }

        Names.Add(name);
        Infos.Add(info);
        return ProjectionResult.Ok;
    }
}
