namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>The full raw path of each entry of a source in turn, '/'-separated, as a <see cref="WildcardPattern"/> takes it.</summary>
internal sealed class SearchedPath
{
    private readonly int _root;
    private byte[] _path;

    public SearchedPath(RecoveryPointSource source)
    {
        byte[] root = EntryName.Unescape(source.Path);
        if (source.Form == PathForm.Windows)
        {
            root.AsSpan().Replace((byte)'\\', (byte)'/');
        }

        ReadOnlySpan<byte> trimmed = root.AsSpan().TrimEnd((byte)'/');
        _root = trimmed.Length;
        _path = [.. trimmed, (byte)'/'];
    }

    /// <summary>The root, a slash, and the path below it; for the root itself without the slash. Good until the next call.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> below)
    {
        if (below.IsEmpty)
        {
            return _path.AsSpan(0, _root);
        }

        int length = _root + 1 + below.Length;
        if (_path.Length < length)
        {
            Array.Resize(ref _path, Math.Max(length, 2 * _path.Length));
        }

        below.CopyTo(_path.AsSpan(_root + 1));
        return _path.AsSpan(0, length);
    }
}
