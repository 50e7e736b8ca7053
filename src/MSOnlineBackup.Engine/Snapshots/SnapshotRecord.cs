using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// Where the snapshots of one backup are written down, from before they are made until they are gone. Whoever made them holds the file open, so that others see that they are in use;
/// when its process is gone, however that ended, they are not.
/// </summary>
internal sealed class SnapshotRecord : IDisposable
{
    private const string Extension = ".json";
    private const int MaxLength = 64 << 20;

    private readonly FileStream _file;

    private SnapshotRecord(FileStream file, string path)
    {
        _file = file;
        Path = path;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>A folder of the same backup, for what has to be mounted.</summary>
    public string Folder => System.IO.Path.ChangeExtension(Path, ".mounts");

    /// <summary>Begins one. Nothing is written down yet.</summary>
    /// <exception cref="IOException">It cannot be written, or <see cref="UnauthorizedAccessException"/>.</exception>
    public static SnapshotRecord Create(string folder)
    {
        if (!Directory.Exists(folder))
        {
            PrivateFolder.Make(folder);
        }

        while (true)
        {
            string path = System.IO.Path.Combine(folder, NewId() + Extension);
            try
            {
                var record = new SnapshotRecord(PrivateFile.Open(path, FileMode.CreateNew), path);
                if (File.Exists(path))
                {
                    return record;
                }

                // Somebody who tidies up took the empty file for a remainder before it was held.
                record.Dispose();
            }
            catch (IOException) when (File.Exists(path))
            {
                // The same, while it is being removed.
            }
        }
    }

    /// <summary>Those that nobody holds: what they name was left behind.</summary>
    public static IEnumerable<SnapshotRecord> FindAbandoned(string folder)
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (string path in Directory.GetFiles(folder, "*" + Extension))
        {
            // A backup may decide that its snapshots stay while one looks.
            SnapshotRecord? record = LocalPointFile.Stays(path) ? null : TryHold(path);
            if (record is not null && LocalPointFile.Stays(path))
            {
                record.Dispose();
            }
            else if (record is not null)
            {
                yield return record;
            }
        }
    }

    /// <summary>The records of a folder, whoever holds them; none where there is no such folder, or where it is another account's.</summary>
    public static IReadOnlyList<string> FindAll(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*" + Extension, new EnumerationOptions { IgnoreInaccessible = true, AttributesToSkip = 0 })]
        : [];

    /// <summary>Holds a record; null where somebody else does, or where it is gone.</summary>
    public static SnapshotRecord? TryHold(string path) => TryOpen(path, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Opens a record to read it, as several may at once; nobody removes its snapshots meanwhile. Null where it is held, or gone.</summary>
    public static SnapshotRecord? TryShare(string path) => TryOpen(path, FileAccess.Read, FileShare.Read);

    /// <summary>Whether a backup is at work that holds a record.</summary>
    public static bool IsHeld(string path)
    {
        using SnapshotRecord? record = TryShare(path);
        return record is null && File.Exists(path);
    }

    /// <summary>32 digits that nothing else has.</summary>
    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Writes down what is about to be made, or what it turned out to be: when it returns, that is durable.</summary>
    public void Write(IReadOnlyList<SnapshotMark> marks)
    {
        // A line each time: what was written before holds until the next one is whole.
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(new SnapshotMarks(1, marks), SnapshotJson.Default.SnapshotMarks), (byte)'\n'];
        RandomAccess.Write(_file.SafeFileHandle, line, RandomAccess.GetLength(_file.SafeFileHandle));
        Durability.Flush(_file.SafeFileHandle);
        Durability.FlushFolder(System.IO.Path.GetDirectoryName(Path)!);
    }

    /// <summary>What is written down. Where not even the first line is whole, nothing was made yet.</summary>
    public IReadOnlyList<SnapshotMark> Read()
    {
        byte[] content = new byte[Math.Min(RandomAccess.GetLength(_file.SafeFileHandle), MaxLength)];
        return Parse(content.AsSpan(0, RandomAccess.Read(_file.SafeFileHandle, content, 0)));
    }

    /// <summary>What is written down in a record, whoever holds it.</summary>
    public static IReadOnlyList<SnapshotMark> ReadMarks(string path)
    {
        if (TryShare(path) is { } free)
        {
            using (free)
            {
                return free.Read();
            }
        }

        // Of a backup at work: read without a lock, for which only the system's own call asks.
        if (OperatingSystem.IsWindows() || UnixSystem.Current.OpenFile(-1, System.Text.Encoding.UTF8.GetBytes(System.IO.Path.GetFullPath(path))) is not (>= 0 and int handle))
        {
            return [];
        }

        using (var file = new SafeFileHandle(handle, ownsHandle: true))
        {
            byte[] content = new byte[Math.Min(RandomAccess.GetLength(file), MaxLength)];
            return Parse(content.AsSpan(0, RandomAccess.Read(file, content, 0)));
        }
    }

    private static IReadOnlyList<SnapshotMark> Parse(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> rest = content;
        while (rest.LastIndexOf((byte)'\n') is var end and >= 0)
        {
            ReadOnlySpan<byte> line = rest[(rest[..end].LastIndexOf((byte)'\n') + 1)..end];
            try
            {
                return JsonSerializer.Deserialize(line, SnapshotJson.Default.SnapshotMarks)?.Snapshots ?? [];
            }
            catch (JsonException)
            {
                rest = rest[..(end - line.Length)];
            }
        }

        return [];
    }

    /// <summary>Nothing is left of what it names.</summary>
    public void Remove()
    {
        Dispose();
        try
        {
            LocalPointFile.Delete(Path);
            File.Delete(Path);
            if (Directory.Exists(Folder))
            {
                Directory.Delete(Folder);
            }
        }
        catch (IOException)
        {
            // Another backup tidies up, too, and finds that nothing is left.
        }
    }

    /// <summary>Lets go of it; what is written down stays.</summary>
    public void Dispose() => _file.Dispose();

    private static SnapshotRecord? TryOpen(string path, FileAccess access, FileShare share)
    {
        try
        {
            return new SnapshotRecord(new FileStream(path, FileMode.Open, access, share, bufferSize: 0), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Held by a backup at work, gone by now, or another account's.
            return null;
        }
    }
}
