using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>
/// Sorted records in a file of this machine. What looks up a few maps it, at the first look; what passes over all reads it, so that the pages of a map do not
/// fill memory.
/// </summary>
/// <param name="file">The file; open for as long as this lives.</param>
/// <param name="offset">Where the first record begins.</param>
/// <param name="count">How many there are.</param>
internal sealed class FileRun(SafeFileHandle file, long offset, int count) : IndexRun(count)
{
    private readonly Lock _gate = new();
    private volatile MappedFile? _map;

    /// <inheritdoc/>
    /// <exception cref="BackupException">StateInvalid: the disk does not give them any more.</exception>
    public override void Read(int first, Span<byte> destination)
    {
        try
        {
            AuthenticatedFile.ReadExactly(file, offset + ((long)first * IndexSegment.RecordLength), destination);
        }
        catch (IOException e)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>Gives back the memory that look-ups have filled.</summary>
    public void Release() => _map?.Release();

    /// <inheritdoc/>
    protected override ReadOnlySpan<byte> At(int index) =>
        (_map ?? Map()).Slice(offset + ((long)index * IndexSegment.RecordLength), IndexSegment.RecordLength);

    private MappedFile Map()
    {
        lock (_gate)
        {
            try
            {
                return _map ??= new MappedFile(file);
            }
            catch (IOException e)
            {
                throw Unreadable(e);
            }
        }
    }

    private static BackupException Unreadable(IOException e) => new(
        BackupErrorId.StateInvalid,
        $"The index cache of this machine cannot be read any more: {e.Message}",
        "Run it again with '--no-cache', and look after the disk that the cache lies on. The vault is not affected.",
        null,
        innerException: e);
}
