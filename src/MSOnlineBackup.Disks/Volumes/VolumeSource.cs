using System.Globalization;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>The bytes that a reader of a file system or a table reads, with what its messages call it.</summary>
/// <param name="content">The bytes.</param>
/// <param name="what">What is read there: "ext4 file system", "partition table".</param>
/// <param name="place">Where it is: "partition 2", "the disk".</param>
internal sealed class VolumeSource(IDiskContent content, string what, string place)
{
    /// <summary>The bytes.</summary>
    public IDiskContent Content => content;

    /// <summary>Where it is.</summary>
    public string Place => place;

    /// <summary>How many bytes there are.</summary>
    public long Length => content.Length;

    /// <summary>The same place, with other bytes in it.</summary>
    public VolumeSource With(IDiskContent other) => new(other, what, place);

    /// <summary>Reads so many bytes.</summary>
    /// <exception cref="BackupException">VolumeCorrupt: they lie outside.</exception>
    public async ValueTask<byte[]> ReadAsync(long offset, int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        await ReadAsync(offset, bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>Fills the destination.</summary>
    /// <exception cref="BackupException">VolumeCorrupt: the bytes lie outside.</exception>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        offset < 0 || offset > Length - destination.Length
            ? throw Corrupt(string.Create(CultureInfo.InvariantCulture, $"it refers to byte {offset}, and has {Length}"))
            : content.ReadAsync(offset, destination, cancellationToken);

    /// <summary>The error for what contradicts itself.</summary>
    /// <param name="how">What is wrong, as the end of a sentence.</param>
    public BackupException Corrupt(FormattableString how) => Corrupt(FormattableString.Invariant(how));

    /// <inheritdoc cref="Corrupt(FormattableString)"/>
    public BackupException Corrupt(string how) => new(
        BackupErrorId.VolumeCorrupt,
        $"The {what} on {place} is damaged: {how}.",
        "Restore the whole disk and let the file system's own program repair it, or take another recovery point.",
        place);

    /// <summary>The error for what is not read.</summary>
    /// <param name="why">What it is, as the end of a sentence.</param>
    public BackupException Unsupported(FormattableString why) => Unsupported(FormattableString.Invariant(why));

    /// <inheritdoc cref="Unsupported(FormattableString)"/>
    public BackupException Unsupported(string why) => new(
        BackupErrorId.VolumeUnsupported,
        $"The {what} on {place} is not read: {why}.",
        "Restore the whole disk and open it with its system.",
        place);
}
