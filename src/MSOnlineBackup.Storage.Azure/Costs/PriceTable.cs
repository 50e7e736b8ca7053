using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Costs;

/// <summary>What Blob Storage charges, in one currency, region and redundancy, at one time. A gigabyte is 2^30 bytes, as Azure counts it.</summary>
/// <param name="Version">1.</param>
/// <param name="Region">Where, and with which redundancy, as people say it.</param>
/// <param name="Currency">Of all prices, for example USD.</param>
/// <param name="AsOf">When these were the prices.</param>
/// <param name="OutboundPerGigabyte">What leaves the region; free allowances are not in it.</param>
/// <param name="Tiers">The prices of each access tier, by its name in Azure; Hot at least.</param>
public sealed record PriceTable(
    int Version, string Region, string Currency, DateOnly AsOf, decimal OutboundPerGigabyte, IReadOnlyDictionary<string, TierPrices> Tiers)
{
    /// <summary>The file's name, where it comes with the module and where the user puts another.</summary>
    public const string FileName = "prices.json";

    /// <summary>The tier of which every table has prices.</summary>
    public const string BaseTier = "Hot";

    private const int Current = 1;

    // In any currency; a bound, so that no estimate overflows.
    private const decimal Highest = 1_000_000;

    /// <summary>The approximate prices that come with this assembly.</summary>
    public static string ShippedFile => Path.Combine(AppContextFolder, FileName);

    private static string AppContextFolder =>
        Path.GetDirectoryName(typeof(PriceTable).Assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;

    /// <summary>Reads a table.</summary>
    /// <exception cref="BackupException">PriceTableInvalid.</exception>
    public static PriceTable Read(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        PriceTable? table;
        try
        {
            table = JsonSerializer.Deserialize(File.ReadAllBytes(file), PriceJson.Default.PriceTable);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or IOException or UnauthorizedAccessException)
        {
            throw Invalid(file, e.Message.TrimEnd('.'), e);
        }

        return Fault(table) is { } fault ? throw Invalid(file, fault, null) : table!;
    }

    /// <summary>The prices of a tier; those of the base tier where the table does not have it.</summary>
    public TierPrices Of(string tier) => Tiers.TryGetValue(tier, out TierPrices? prices) ? prices : Tiers[BaseTier];

    private static string? Fault(PriceTable? table) => table switch
    {
        null => "it is empty",
        { Version: not Current } => $"its version is {table.Version}, and {Current} is known",
        _ when string.IsNullOrWhiteSpace(table.Region) || string.IsNullOrWhiteSpace(table.Currency) => "it does not say for which region and currency it is",
        _ when !table.Tiers.ContainsKey(BaseTier) => $"it has no tier '{BaseTier}'",
        _ when table.Tiers.FirstOrDefault(tier => tier.Value is null || !tier.Value.All.All(IsPrice)) is { Key: { } tier } => $"a price of the tier '{tier}' "
            + $"is missing, negative or above {Highest:N0}",
        _ when !IsPrice(table.OutboundPerGigabyte) => $"the price of what leaves the region is negative or above {Highest:N0}",
        _ => null,
    };

    private static bool IsPrice(decimal price) => price is >= 0 and <= Highest;

    private static BackupException Invalid(string file, string why, Exception? cause) => new(
        BackupErrorId.PriceTableInvalid,
        $"'{file}' is not a price table: {why}.",
        $"Start from the table that comes with the module, '{ShippedFile}', and change its figures.",
        file,
        innerException: cause);
}

/// <summary>The prices of an access tier.</summary>
/// <param name="StoragePerGigabyteMonth">To keep a gigabyte for a month.</param>
/// <param name="WritesPer10000">To create ten thousand objects.</param>
/// <param name="ListsPer10000">For ten thousand pages of listings.</param>
/// <param name="ReadsPer10000">To read ten thousand ranges.</param>
/// <param name="OthersPer10000">For ten thousand of anything else.</param>
/// <param name="RetrievalPerGigabyte">To read a gigabyte.</param>
public sealed record TierPrices(
    decimal StoragePerGigabyteMonth,
    decimal WritesPer10000,
    decimal ListsPer10000,
    decimal ReadsPer10000,
    decimal OthersPer10000,
    decimal RetrievalPerGigabyte)
{
    internal IEnumerable<decimal> All => [StoragePerGigabyteMonth, WritesPer10000, ListsPer10000, ReadsPer10000, OthersPer10000, RetrievalPerGigabyte];
}

/// <summary>The serialiser, generated when the project is built. Every figure must be there: what is forgotten is not free.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PriceTable))]
internal sealed partial class PriceJson : JsonSerializerContext;
