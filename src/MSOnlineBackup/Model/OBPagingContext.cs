namespace MSOnlineBackup;

/// <summary>Where a listing stands: the same call with the same context gives the next page, and nothing after the last.</summary>
public sealed class OBPagingContext
{
    /// <summary>Items in a page.</summary>
    public const int PageSize = 100;

    private string? _question;

    /// <summary>How many items were given so far.</summary>
    public int Position { get; private set; }

    /// <summary>Begins a page and returns how many items come before it. Another question than before begins at the first page again.</summary>
    internal int Begin(string question)
    {
        if (_question != question)
        {
            _question = question;
            Position = 0;
        }

        return Position;
    }

    /// <summary>An item was given.</summary>
    internal void Advance() => Position++;
}
