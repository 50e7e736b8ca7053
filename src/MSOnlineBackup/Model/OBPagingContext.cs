namespace MSOnlineBackup;

/// <summary>Where a listing stands: the same call with the same context gives the next page, and nothing after the last.</summary>
public sealed class OBPagingContext
{
    /// <summary>Items in a page.</summary>
    public const int PageSize = 100;

    /// <summary>How many items were given so far.</summary>
    public long Position { get; internal set; }

    /// <summary>What is being listed; another question begins at the first page again.</summary>
    internal string? Question { get; set; }
}
