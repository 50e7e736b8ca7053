using System.Buffers;
using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>What a running job skips, written as JSON lines, up to <see cref="JobHistory.MaxSkipped"/>. For several threads.</summary>
internal sealed class SkippedList(string path) : IDisposable
{
    /// <summary>The file's name in the job's folder.</summary>
    public const string FileName = "skipped.jsonl";

    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _pending = new();
    private int _count;
    private FileStream? _file;

    /// <summary>Adds an item.</summary>
    public void Add(SkippedItem item)
    {
        lock (_gate)
        {
            if (_count++ < JobHistory.MaxSkipped)
            {
                SkippedItemsCodec.Write(_pending, item);
            }
        }
    }

    /// <summary>Brings what was added to the file.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_pending.WrittenCount > 0)
            {
                _file ??= new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                _file.Write(_pending.WrittenSpan);
                _pending.ResetWrittenCount();
            }
        }
    }

    /// <summary>Closes the file; what was added and not flushed is lost.</summary>
    public void Dispose() => _file?.Dispose();

    /// <summary>One line; null for one that was cut off.</summary>
    public static SkippedItem? TryParse(string line)
    {
        try
        {
            SkippedItemJson? item = JsonSerializer.Deserialize(line, RecoveryPointJsonContext.Default.SkippedItemJson);
            return item is { Path: { } path, Reason: { } reason }
                ? new SkippedItem(path, Enum.TryParse(item.Id, out BackupErrorId id) ? id : BackupErrorId.UnexpectedError, reason)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
