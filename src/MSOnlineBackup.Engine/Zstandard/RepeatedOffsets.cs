namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>The three offsets used last, the latest first, which a sequence can name by one of three short codes.</summary>
internal struct RepeatedOffsets
{
    /// <summary>The latest.</summary>
    public nuint First;

    /// <summary>The one before.</summary>
    public nuint Second;

    /// <summary>The one before that.</summary>
    public nuint Third;

    /// <summary>Those that a frame begins with.</summary>
    public static RepeatedOffsets Initial => new()
    {
        First = (nuint)ZstandardFormat.InitialRepeatedOffsets[0],
        Second = (nuint)ZstandardFormat.InitialRepeatedOffsets[1],
        Third = (nuint)ZstandardFormat.InitialRepeatedOffsets[2],
    };
}
