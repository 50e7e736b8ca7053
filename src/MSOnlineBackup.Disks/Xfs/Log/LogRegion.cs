namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>A piece of what an item says, which may have been written in parts.</summary>
internal sealed class LogRegion
{
    private const int Longest = 1 << 20;

    private byte[] _bytes;
    private int _length;

    public LogRegion(ReadOnlySpan<byte> bytes) => (_bytes, _length) = (bytes.ToArray(), bytes.Length);

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _length);

    /// <summary>Adds a part.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt: it is longer than any.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > Longest)
        {
            throw XfsFault.Corrupt("an item of its log is too long");
        }

        if (_length + bytes.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_length + bytes.Length, 2 * _bytes.Length));
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }
}
