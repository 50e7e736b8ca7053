using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// A folder of this machine that keeps what was read of a store's index, in one file. All of it may be thrown away at any time: what is not there, or not
/// whole, is read from the vault again, and where nothing can be written, the index stays in memory. Several processes may use it at once: a file is never
/// changed, only replaced by one of another name.
/// </summary>
/// <param name="folder">The folder; made where it is not there, for this user alone.</param>
/// <param name="copy">Which of several twins the store lies in: they share ids and keys, and not what is where.</param>
/// <param name="keys">The store's keys.</param>
/// <param name="bounds">When it is used.</param>
/// <param name="clock">The clock: what a process has left behind that was killed is removed after a day.</param>
[SuppressMessage("Design", "CA1031", Justification = "Whatever a disk or its rights do to a cache, the work goes on without.")]
internal sealed class IndexCache(string folder, string copy, StoreKeys keys, IndexCacheBounds bounds, TimeProvider clock)
{
    private const string Extension = ".index";
    private const string Unfinished = ".tmp";
    private const int WriteLength = 1 << 20;

    private static readonly TimeSpan _leftBehind = TimeSpan.FromDays(1);

    private bool _hasFailed;

    /// <summary>When it is used.</summary>
    public IndexCacheBounds Bounds => bounds;

    /// <summary>What is there of the store's index; null where there is nothing that is whole.</summary>
    public CachedIndex? TryRead()
    {
        return Try(() =>
        {
            if (!Directory.Exists(folder))
            {
                return null;
            }

            foreach (FileInfo found in Mine(Extension).OrderByDescending(file => file.LastWriteTimeUtc))
            {
                if (TryRead(found.FullName) is { } cached)
                {
                    return cached;
                }

                TryDelete(found.FullName);
            }

            return null;
        });
    }

    /// <summary>Writes it anew. Null where that cannot be done.</summary>
    /// <param name="records">The records.</param>
    /// <param name="numbers">For the pack number of each record, the one that it gets; -1 where the record is left out.</param>
    /// <param name="packs">The packs by their new numbers.</param>
    /// <param name="segments">The segments, with new numbers.</param>
    public FileRun? TryWrite(IndexRecords records, int[] numbers, IReadOnlyList<PackInfo> packs, IEnumerable<CachedSegment> segments) => TryCreate((file, path) =>
    {
        FileRun run = IndexCacheFile.Write(file, keys, records, numbers, packs, segments);
        string name = Path.ChangeExtension(path, Extension);
        File.Move(path, name);
        foreach (FileInfo old in Mine(Extension).Where(old => old.FullName != name).Concat(Mine(Unfinished).Where(left => clock.GetUtcNow() - left.LastWriteTimeUtc >= _leftBehind)))
        {
            TryDelete(old.FullName);
        }

        return run;
    });

    /// <summary>Takes records out of memory, into a file that ends with whoever uses it. Null where that cannot be done.</summary>
    public FileRun? TrySpill(IndexRecords records) => _hasFailed ? null : TryCreate((file, path) =>
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(path);
        }

        byte[] held = GC.AllocateUninitializedArray<byte>(WriteLength / IndexSegment.RecordLength * IndexSegment.RecordLength);
        int filled = 0;
        long at = 0;
        for (IndexRecords.Pass pass = records.InOrder(); pass.MoveNext();)
        {
            pass.Record.CopyTo(held.AsSpan(filled));
            filled += IndexSegment.RecordLength;
            if (filled == held.Length)
            {
                RandomAccess.Write(file, held, at);
                at += filled;
                filled = 0;
            }
        }

        RandomAccess.Write(file, held.AsSpan(0, filled), at);
        return new FileRun(file, 0, records.Count);
    },
    FileOptions.DeleteOnClose);

    private CachedIndex? TryRead(string path)
    {
        SafeFileHandle? file = null;
        CachedIndex? cached = null;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            cached = IndexCacheFile.TryRead(file, keys);
            return cached;
        }
        catch (IOException)
        {
            // Another process has replaced it, or its disk has a bad sector: either way another is needed.
            return null;
        }
        finally
        {
            if (cached is null)
            {
                file?.Dispose();
            }
        }
    }

    private FileRun? TryCreate(Func<SafeFileHandle, string, FileRun> write, FileOptions options = FileOptions.None) => Try(() =>
    {
        MakeFolder();
        string path = Path.Combine(folder, $"{keys.StoreId}.{copy}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}{Unfinished}");
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, options);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            return write(file, path);
        }
        catch
        {
            _hasFailed = true;
            file.Dispose();
            TryDelete(path);
            throw;
        }
    });

    private void MakeFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private IEnumerable<FileInfo> Mine(string extension) => new DirectoryInfo(folder).EnumerateFiles($"{keys.StoreId}.{copy}.*{extension}");

    // Where somebody has mapped it, Windows does not let it go; then whoever comes next does it.
    private static void TryDelete(string path) => Try(() =>
    {
        File.Delete(path);
        return string.Empty;
    });

    private static T? Try<T>(Func<T?> work)
        where T : class
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }
}
