namespace MSOnlineBackup.Platform.Unix;

/// <summary>An item by its open handle where there is one, otherwise by its name in an open folder. Never through a link.</summary>
/// <param name="handle">The item's own handle, or -1.</param>
/// <param name="at">The folder that holds it; used without a handle.</param>
/// <param name="name">Its name there.</param>
internal readonly ref struct UnixNode(int handle, int at, ReadOnlySpan<byte> name)
{
    public int Handle { get; } = handle;

    public int At { get; } = at;

    public ReadOnlySpan<byte> Name { get; } = name;

    public bool IsOpen => Handle >= 0;
}
