using System.Security.Cryptography;
using System.Text.Json;
using MSOnlineBackup.Platform.Folders;
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
            SnapshotRecord? record = TryHold(path);
            if (record is not null)
            {
                yield return record;
            }
        }
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
        int length = RandomAccess.Read(_file.SafeFileHandle, content, 0);
        ReadOnlySpan<byte> rest = content.AsSpan(0, length);
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

    private static SnapshotRecord? TryHold(string path)
    {
        try
        {
            return new SnapshotRecord(new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Held by a backup at work, gone by now, or another account's.
            return null;
        }
    }
}
