namespace MSOnlineBackup.Engine.Sources.SystemState;

/// <summary>What makes a machine the one that it is, beside its data: as files, and as descriptions that its own programs give.</summary>
internal interface ISystemState
{
    /// <summary>The folders and files of the set that this machine has, in the set's order.</summary>
    IReadOnlyList<string> FindFiles();

    /// <summary>Writes the descriptions anew into a folder, with an index that says what made each, and which could not be made and why.</summary>
    /// <param name="folder">Created, for its owner only, or emptied.</param>
    /// <param name="cancellationToken">Stops.</param>
    Task DescribeAsync(string folder, CancellationToken cancellationToken);
}
