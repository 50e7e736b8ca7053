namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A leaf that a walk stands in, with all manifests that have it there.</summary>
internal sealed class SharedLeaf(WalkedLeaf leaf, IReadOnlyList<WalkedManifest> manifests, SideBySideWalk.Lane[] lanes) : SideBySideWalk.Position
{
    private byte[] _key = [.. manifests[0].Root, (byte)'/'];
    private int _length;

    /// <summary>The leaf, on the entry reached.</summary>
    public WalkedLeaf Leaf => leaf;

    /// <summary>The manifests that have it.</summary>
    public IReadOnlyList<WalkedManifest> Manifests => manifests;

    /// <summary>Whose they are, in order, each once.</summary>
    public IReadOnlyList<int> Owners { get; } = [.. manifests.Select(manifest => manifest.Owner).Distinct().Order()];

    /// <summary>Their ways through the walk.</summary>
    internal SideBySideWalk.Lane[] Lanes => lanes;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Key => _key.AsSpan(0, _length);

    /// <summary>The first manifest of an owner that has it; null where none has.</summary>
    public WalkedManifest? Of(int owner)
    {
        foreach (WalkedManifest manifest in manifests)
        {
            if (manifest.Owner == owner)
            {
                return manifest;
            }
        }

        return null;
    }

    /// <summary>Takes over the path of the entry reached.</summary>
    internal void SetKey()
    {
        int root = manifests[0].Root.Length;
        ReadOnlySpan<byte> below = leaf.Path;
        _length = below.IsEmpty ? root : root + 1 + below.Length;
        if (_key.Length < _length)
        {
            Array.Resize(ref _key, Math.Max(_length, 2 * _key.Length));
        }

        below.CopyTo(_key.AsSpan(root == _length ? root : root + 1));
    }
}
